"""The page Chats: the open ones, and the past ones by search."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import update
from sqlmodel import col
from streamlit.testing.v1 import AppTest

from core.chat.notes import add_note
from core.chat.outcome import outcome_text
from core.chat.rating import Rating
from core.chat.search import found_conversations
from core.chat.states import ConversationState, TemplateKind
from core.chat.templates import add_template
from core.database import reading, writing
from core.frames import conversations_frame, csv_of, messages_frame
from core.tables import Agent, Conversation, Site
from pages.chats.past_tab import NOBODY_YET, NOTHING_FOUND, OTHER_DAYS, PastSearch
from pages.parts.agent import _agent
from pages.parts.transcript import read_transcript, transcript_html, transcript_text
from tests.helpers.dashboard_chats import (
    Chat,
    agent_invites,
    make_agent,
    now,
    secret_of,
    visitor_opens,
)
from tests.helpers.page_reading import tables, texts
from tests.helpers.seed import make_site
from tests.helpers.type_declarations import declared_keys
from tests.pages.conftest import Database, OpenPage

HOSTILE = "![x](http://evil.example/a.png)<img src=//evil.example/b> =1+1"


@pytest.fixture(autouse=True)
def fresh() -> None:
    _agent.clear()


@pytest.fixture
def site(database: Database) -> Site:
    return make_site(database.engine, key="tea", name="Tea shop")


@pytest.fixture
def agent(database: Database) -> Agent:
    return make_agent(database.engine)


def be(page: AppTest, agent: Agent) -> AppTest:
    page.session_state["agent_secret"] = secret_of(agent)
    return page.run()


def chats(page: AppTest) -> dict[str, Any]:
    """The data that the component of the open chats got."""
    sent = [
        json.loads(each.proto.json or each.proto.mixed.json)
        for each in page.get("bidi_component")
        if each.proto.component_name == "visitor_monitor_chat"
    ]
    return next(each for each in sent if each["part"] == "chats")


def past(open_page: OpenPage, **query: str) -> AppTest:
    """The tab Past; `search` as the table's own search box sends it."""
    query = {"site": "tea", "past": "-", **query}
    return open_page("chats", **query)


def listed(page: AppTest) -> pd.DataFrame:
    return tables(page)["Past chats"]["rows"]


def test_name_is_asked_for_before_the_first_chat(
    database: Database, site: Site, open_page: OpenPage
) -> None:
    page = open_page("chats")
    assert not page.exception
    assert "Who are you?" in texts(page)
    page.main.text_input[0].input("Ann")
    page.main.button[0].click().run()
    assert not page.exception
    assert chats(page)["agent"]["name"] == "Ann"


def test_open_chats_know_the_agent_and_the_replies(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    assert site.id is not None
    with writing(database.engine) as db:
        add_template(db, site.id, TemplateKind.REPLY, "Hello!", now())
        add_template(db, site.id, TemplateKind.INVITATION, "May I help?", now())
    sent = chats(be(open_page("chats"), agent))
    assert sent["agent"] == {"id": agent.id, "name": "Ann", "key": secret_of(agent)}
    assert [reply["text"] for reply in sent["replies"]["tea"]] == ["Hello!"]
    assert sent["chosen"] == ""
    assert sent["is_one_site"] is True
    assert set(sent) == declared_keys("parts/chat/client/chat_types.d.ts", "ChatsData")


def test_address_chooses_a_conversation_and_shows_its_visitor(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    chat = visitor_opens(
        database.engine,
        site,
        "visit1",
        attributes={"name": "Ada", "plan": "gold"},
        current_path="/cart",
        current_title="Your cart",
    )
    page = be(open_page("chats", site="tea", conversation=chat.id), agent)
    assert not page.exception
    assert chats(page)["chosen"] == f"tea {chat.id}"
    for word in ("Ada", "gold", "/cart", "Chatting"):
        assert word in texts(page)
    assert tables(page)["Pages, newest first"]["rows"]["path"].tolist() == ["/cart"]


@pytest.mark.parametrize(
    "query", [{"site": "tea", "conversation": "nobody"}, {"site": "x", "conversation": "y"}]
)
def test_address_of_nothing_does_no_harm(
    database: Database, site: Site, agent: Agent, open_page: OpenPage, query: dict[str, str]
) -> None:
    page = be(open_page("chats", **query), agent)
    assert not page.exception
    assert chats(page)["chosen"] == f"{query['site']} {query['conversation']}"


def test_agent_who_is_away_is_reminded(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    page = be(open_page("chats"), agent)
    assert "You are Away." not in texts(page)
    page.sidebar.toggle[0].set_value(False).run()
    assert "You are Away." in texts(page.run())


def test_past_says_what_to_do_when_there_is_nothing(
    database: Database, site: Site, open_page: OpenPage
) -> None:
    page = past(open_page)
    assert not page.exception
    assert tables(page)["Past chats"]["table"]["empty"] == NOBODY_YET
    assert "This chat is not known" in texts(page)


def test_past_lists_the_chats_of_the_site_newest_first(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    first = visitor_opens(database.engine, site, "visit1", attributes={"name": "Ada"})
    first.agent_says(agent, "Hello Ada")
    first.ends()
    second = agent_invites(database.engine, site, "visit2", agent, attributes={"name": "Bob"})
    second.is_dismissed()
    other = make_site(database.engine, key="other", name="Other")
    visitor_opens(database.engine, other, "visit3")
    rows = listed(past(open_page))
    assert rows["id"].tolist() == [second.id, first.id]
    assert rows["name"].tolist() == ["Bob", "Ada"]
    assert rows["outcome"].tolist() == ["Dismissed", "Ended by the visitor"]
    assert rows["last"].tolist() == ["May I help?", "Hello Ada"]
    assert rows["agent"].tolist() == ["Ann", "Ann"]
    assert rows["messages"].tolist() == [1, 2]


def test_past_shows_ratings_and_counts_those_of_what_was_found(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    for number, rating in enumerate((Rating.BAD, Rating.GOOD, Rating.GOOD, None)):
        chat = visitor_opens(database.engine, site, f"visit{number}", f"tea {number}")
        chat.agent_says(agent, "Hello")
        chat.ends()
        if rating:
            chat.rates(rating, "Too slow" if rating is Rating.BAD else "")
    page = past(open_page)
    assert listed(page)["rating"].tolist() == ["", "Good", "Good", "Not good"]
    assert listed(page)["rating_text"].tolist() == ["", "", "", "Too slow"]
    assert "Rated: 2 good, 1 not good." in texts(page)
    page.session_state["past asked of tea"] = PastSearch("tea 0")
    assert "Rated: 0 good, 1 not good." in texts(page.run())
    [bad] = listed(page)["id"]
    assert "Rated not good: Too slow" in texts(past(open_page, past=bad))


def test_search_finds_words_names_and_agents(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    for number, (name, text) in enumerate((("Ada", "A blue bowl?"), ("Bob", "100% cotton"))):
        chat = visitor_opens(
            database.engine, site, f"visit{number}", text, attributes={"name": name}
        )
        if name == "Ada":
            chat.agent_says(agent, "Yes")
    page = past(open_page)
    for search, names in {
        "BLUE": ["Ada"],
        "bob": ["Bob"],
        "ann": ["Ada"],
        "0%": ["Bob"],
        "%": ["Bob"],
        "nobody": [],
    }.items():
        page.session_state["past asked of tea"] = PastSearch(search)
        found = listed(page.run())
        assert found["name"].tolist() == names, search
    assert tables(page)["Past chats"]["table"]["empty"] == NOTHING_FOUND


def test_search_says_when_there_is_more_than_it_looks_through(
    database: Database, site: Site, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        visitor_opens(database.engine, site, f"visit{number}", "A blue bowl?")
    page = past(open_page)
    page.session_state["past asked of tea"] = PastSearch("blue")
    assert "Only the newest" not in texts(page.run())
    monkeypatch.setattr("core.chat.search.MOST_SEARCHED", 2)

    assert len(listed(page.run())) == 2
    assert "Only the newest" in texts(page)
    page.session_state["past asked of tea"] = PastSearch()
    assert len(listed(page.run())) == 3
    assert "Only the newest" not in texts(page)


def test_days_are_those_of_the_sites_time_zone(
    database: Database, site: Site, open_page: OpenPage
) -> None:
    chat = visitor_opens(database.engine, site, "visit1")
    with writing(database.engine) as db:
        long_ago = now() - timedelta(days=40)
        db.execute(
            update(Conversation).where(col(Conversation.id) == chat.id).values(created_at=long_ago)
        )
    page = past(open_page)
    assert listed(page).empty
    page.main.selectbox(key="past span of tea").select(OTHER_DAYS).run()
    today = now().date()
    page.main.date_input[0].set_value((today - timedelta(days=60), today)).run()
    assert listed(page)["id"].tolist() == [chat.id]
    page.main.date_input[0].set_value(
        (today - timedelta(days=60), today - timedelta(days=50))
    ).run()
    assert listed(page).empty


def test_transcript_is_shown_literally(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    chat = visitor_opens(
        database.engine, site, "visit1", f"{HOSTILE}\nsecond", attributes={"name": HOSTILE}
    )
    chat.agent_says(agent, HOSTILE)
    page = past(open_page, past=chat.id)
    assert not page.exception
    assert texts(page).count(HOSTILE) >= 4
    bodies = [element.proto.body for element in page.get("html")]
    assert not any("<img" in body for body in bodies)
    parsed = [*page.markdown, *page.caption]
    assert not any("evil.example" in element.value for element in parsed)


def test_transcript_as_text_has_a_line_for_each_message(
    database: Database, site: Site, agent: Agent
) -> None:
    chat = visitor_opens(database.engine, site, "visit1", "One\ntwo", attributes={"name": "Ada"})
    chat.agent_says(agent, "Three")
    chat.ends()
    with reading(database.engine) as db:
        transcript = read_transcript(db, site, chat.id)
    assert transcript is not None
    lines = transcript_text(transcript, site).splitlines()
    assert lines[0] == "Chat with Ada on Tea shop"
    assert lines[2] == "Outcome: Ended by the visitor"
    assert lines[5].endswith("] Ada: One")
    assert lines[6] == "    two"
    assert lines[7].endswith("] Ann: Three")
    assert '<p dir="auto">One\ntwo</p>' in transcript_html(transcript, "UTC")


def test_note_is_in_the_agents_transcript_marked_as_one(
    database: Database, site: Site, agent: Agent, open_page: OpenPage
) -> None:
    chat = visitor_opens(database.engine, site, "visit1", "One", attributes={"name": "Ada"})
    with writing(database.engine) as db:
        given = {"agent_id": agent.id or 0, "client_id": "note00000001", "now": now()}
        add_note(db, chat.row, text="**Wants** an invoice", **given)
    chat.says("Two")
    with reading(database.engine) as db:
        transcript = read_transcript(db, site, chat.id)
        found = found_conversations(db, site.id or 0)
        assert "invoice" not in csv_of(messages_frame(db, found))
    assert transcript is not None
    lines = transcript_text(transcript, site).splitlines()[5:]
    assert [line.partition("] ")[2] for line in lines if line] == [
        "Ada: One",
        "Note by Ann: **Wants** an invoice",
        "Ada: Two",
    ]
    assert '<li class="note">' in transcript_html(transcript, "UTC")
    assert "**Wants** an invoice" in texts(past(open_page, past=chat.id))


def test_csv_has_every_message_and_no_formula(database: Database, site: Site, agent: Agent) -> None:
    assert site.id is not None
    chat = visitor_opens(database.engine, site, "visit1", "=1+1", attributes={"name": "@Ada"})
    chat.agent_says(agent, "Two\nlines")
    with reading(database.engine) as db:
        found = found_conversations(db, site.id)
        file = csv_of(messages_frame(db, found)).removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(file, newline="")))
    assert [row["text"] for row in rows] == ["'=1+1", "Two\nlines"]
    assert [row["name"] for row in rows] == ["'@Ada", "Ann"]
    assert [row["number"] for row in rows] == ["1", "2"]
    assert rows[0]["sent_at"].endswith("Z")


def test_frames_without_a_conversation_have_their_columns(database: Database, site: Site) -> None:
    with reading(database.engine) as db:
        assert conversations_frame(db, []).empty
        assert messages_frame(db, []).columns[0] == "conversation"


@pytest.mark.parametrize("state", list(ConversationState))
def test_every_outcome_has_words(state: ConversationState) -> None:
    assert outcome_text(state.value, "")


def test_visit_that_is_deleted_leaves_the_transcript(
    database: Database, site: Site, open_page: OpenPage
) -> None:
    chat = Chat(database.engine, site, visitor_opens(database.engine, site, "visit1").id)
    with writing(database.engine) as db:
        db.exec_driver_sql("DELETE FROM visit")
    page = past(open_page, past=chat.id)
    assert not page.exception
    assert "Unknown visitor" in texts(page)
    assert "Hello?" in texts(page)
