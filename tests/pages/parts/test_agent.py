"""The agent in the sidebar: a name once, Available or Away, another name."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.agents import find_agent, list_agents
from core.database import reading
from core.random_id import digest
from core.tables import Agent
from pages.parts.agent import _agent
from pages.server.access import COOKIE
from tests.helpers.dashboard_chats import make_agent, now, secret_of
from tests.helpers.database_away import database_away
from tests.helpers.page_reading import texts
from tests.helpers.seed import make_site, make_visit
from tests.pages.conftest import Database, OpenPage, age_snapshots

HOSTILE = "**A** ![x](//evil.example/a.png)"
OFFER = "Give your name to chat with visitors."
QUESTION = "Who are you?"
NO_ANSWER = "No answer from the database."
CURE = "See that the collector runs"


@pytest.fixture(autouse=True)
def fresh() -> None:
    _agent.clear()


def be(page: AppTest, agent: Agent) -> AppTest:
    """The page as this agent has it."""
    page.session_state["agent_secret"] = secret_of(agent)
    return page.run()


def agents(database: Database) -> list[Agent]:
    with reading(database.engine) as db:
        return list_agents(db)


def save(page: AppTest, name: str) -> AppTest:
    """Give a name in the sidebar."""
    page.sidebar.text_input[0].input(name)
    [save_name] = [button for button in page.sidebar.button if button.label == "Save name"]
    return save_name.click().run()


def test_no_name_is_needed_to_see_the_visitors(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine)
    page = open_page()
    assert not page.exception
    assert OFFER in texts(page)
    assert not page.main.text_input
    assert agents(database) == []


def test_name_makes_an_agent_who_is_available(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine)
    page = save(open_page(), "  Ann ")
    assert not page.exception
    [agent] = agents(database)
    assert agent.name == "Ann"
    assert digest(page.session_state["agent_secret"]) == agent.key
    assert "Ann" in texts(page)
    assert OFFER not in texts(page)
    assert page.sidebar.toggle[0].value is True


def test_name_that_says_nothing_is_refused(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine)
    page = save(open_page(), "  \u200b ")
    assert "There is no name" in texts(page)
    assert agents(database) == []


def test_switch_makes_the_agent_away_and_available(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine)
    agent = make_agent(database.engine)
    page = be(open_page(), agent)
    page.sidebar.toggle[0].set_value(False).run()
    assert agents(database)[0].is_available is False
    page.sidebar.toggle[0].set_value(True).run()
    assert agents(database)[0].is_available is True


def test_switch_shows_what_another_tab_has_chosen(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine)
    agent = make_agent(database.engine)
    page, other = be(open_page(), agent), be(open_page(), agent)
    other.sidebar.toggle[0].set_value(False).run()
    assert page.run().sidebar.toggle[0].value is False


def test_agent_takes_another_name(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine)
    page = save(be(open_page(), make_agent(database.engine)), "Anna")
    assert [agent.name for agent in agents(database)] == ["Anna"]
    assert "Anna" in texts(page)


def test_name_is_shown_literally(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine)
    page = be(open_page(), make_agent(database.engine, HOSTILE))
    assert HOSTILE in texts(page)
    assert not any("evil.example" in element.value for element in page.markdown)


def test_key_of_nobody_is_no_agent(database: Database, open_page: OpenPage) -> None:
    make_site(database.engine)
    page = be(open_page(), Agent(key="nobody", name="x"))
    assert not page.exception
    assert OFFER in texts(page)


def test_key_stays_in_the_agents_own_browser(database: Database, open_page: OpenPage) -> None:
    """It goes to the component that sets the cookie, and nowhere else on the page."""
    make_site(database.engine)
    agent = make_agent(database.engine)
    page = be(open_page("chats"), agent)
    components = [each.proto for each in page.get("bidi_component")]
    holders = {each.component_name for each in components if secret_of(agent) in str(each)}
    assert holders == {"visitor_monitor_chat"}
    assert secret_of(agent) not in texts(page)
    with reading(database.engine) as db:
        assert find_agent(db, secret_of(agent)) is not None


# ---- the database is away


def test_agent_whom_the_session_knows_stays_while_the_database_is_away(
    database: Database, open_page: OpenPage
) -> None:
    make_site(database.engine)
    page = be(open_page("chats"), make_agent(database.engine))
    age_snapshots()
    with database_away(database.engine):
        shown = texts(page.run())
    assert not page.exception
    assert "Ann" in shown and NO_ANSWER in shown and CURE in shown
    assert QUESTION not in shown and OFFER not in shown


def test_agent_whom_only_the_cookie_knows_is_not_asked_for_a_name(
    database: Database, open_page: OpenPage, cookies: dict[str, str]
) -> None:
    make_site(database.engine)
    agent = make_agent(database.engine)
    open_page("chats")
    cookies[COOKIE] = secret_of(agent)
    age_snapshots()
    with database_away(database.engine):
        page = open_page("chats")
        shown = texts(page)
    assert not page.exception
    assert NO_ANSWER in shown and CURE in shown
    assert QUESTION not in shown and OFFER not in shown
    assert not page.text_input
    age_snapshots()
    assert "Ann" in texts(page.run())


def test_agent_named_in_another_tab_while_the_database_is_away_is_known_afterwards(
    database: Database, open_page: OpenPage
) -> None:
    make_site(database.engine)
    agent = make_agent(database.engine)

    def choose(key: str) -> None:
        import streamlit as st

        from pages.parts.agent import current_agent, set_current_agent

        if not st.session_state.get("is_chosen"):
            st.session_state["is_chosen"] = set_current_agent(key)
        known = current_agent()
        st.text(known.agent.name if known.agent else known.fault or "nobody")

    page = AppTest.from_function(choose, args=(secret_of(agent),), default_timeout=60)
    with database_away(database.engine):
        assert CURE in texts(page.run())
    age_snapshots()
    assert texts(page.run()) == "Ann"


def test_agent_is_offered_no_second_name_where_an_invitation_needs_one(
    database: Database, open_page: OpenPage, cookies: dict[str, str]
) -> None:
    """Only the agents' table is away: the visit can be read."""
    site = make_site(database.engine)
    cookies[COOKIE] = secret_of(make_agent(database.engine))
    make_visit(database.engine, site, "visit1", now=now())
    with database_away(database.engine, "agent"):
        page = open_page("visitor", site=site.key, visit="visit1")
        assert not page.text_input
        assert CURE in texts(page)
