"""The agent's side of the chat as agents have it: the real dashboard in Chromium, and visitors who
are played on the database. Screenshots are kept in artifacts/."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from core.agents import find_agent, list_agents
from core.chat.templates import add_template
from core.chat.words import ConversationState, TemplateKind
from core.database import reading, writing
from core.queries.chats import open_conversations
from core.sites import list_sites
from core.tables import Agent
from tests.pages.chatting import Chat, agent_invites, make_agent, visitor_opens
from tests.pages.seed import make_database, make_site
from tests.running_collector import wait_for
from tests.running_dashboard import free_port, running_dashboard

ROOT = Path(__file__).parents[2]
ARTIFACTS = Path(os.environ.get("MONITOR_TEST_ARTIFACTS", ROOT / "artifacts"))
HOSTILE = "![x](http://evil.example/a.png)<img src=http://evil.example/b onerror=alert(1)>"
COOKIE = "visitor-monitor-agent"
SOON = 3_000
"""Milliseconds within which a message is there, also on a busy machine."""

expect.set_options(timeout=20_000)
pytestmark = pytest.mark.timeout(300)
OpenChats = Callable[..., Page]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_database(tmp_path_factory.mktemp("chats"))


@pytest.fixture(scope="module")
def engine(database: Any) -> Any:
    return database[1]


@pytest.fixture(scope="module")
def site(engine: Any) -> Any:
    site = make_site(engine, key="tea", name="Tea shop")
    assert site.id is not None
    with writing(engine) as db:
        for text in ("Hello! How can I help?", "Shipping takes two days.\nIt is free from 40 €."):
            add_template(db, site.id, TemplateKind.REPLY, text, datetime.now(UTC))
    return site


@pytest.fixture(scope="module")
def dashboard(database: Any, site: Any) -> Iterator[str]:
    with running_dashboard(database[0]) as address:
        yield address


@pytest.fixture
def new_context(browser: Browser, dashboard: str) -> Iterator[Callable[..., BrowserContext]]:
    """Opens the browser of an agent; no page of a test may ask another server for anything."""
    contexts: list[BrowserContext] = []
    asked: list[str] = []

    def new_context(
        agent: Agent | None = None, *, width: int = 1440, height: int = 900, theme: str = "light"
    ) -> BrowserContext:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,  # pyright: ignore[reportArgumentType]
            accept_downloads=True,
        )
        context.set_default_timeout(20_000)
        context.on("request", lambda request: asked.append(request.url))
        if agent is not None:
            context.add_cookies([{"name": COOKIE, "value": agent.key, "url": dashboard}])
        contexts.append(context)
        return context

    yield new_context
    for context in contexts:
        context.close()
    own = (dashboard, dashboard.replace("http", "ws"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []


@pytest.fixture
def open_chats(new_context: Callable[..., BrowserContext], dashboard: str) -> OpenChats:
    """Opens Chats as an agent."""

    def open_chats(agent: Agent | None, path: str = "chats", **screen: Any) -> Page:
        page = new_context(agent, **screen).new_page()
        page.goto(f"{dashboard}/{path}")
        return page

    return open_chats


@pytest.fixture
def agent(engine: Any) -> Agent:
    return make_agent(engine)


@pytest.fixture
def visit() -> str:
    """The id of a visit that no other test has."""
    return f"visit{time.time_ns():x}"


def item(page: Page, name: str) -> Locator:
    """The visitor's entry in the list."""
    return page.get_by_role("navigation", name="Chats").get_by_role("button", name=name)


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def log(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages")


def said(page: Page) -> list[str]:
    """The texts of the conversation that is shown, in their order."""
    return log(page).locator(".text").all_inner_texts()


def opens(page: Page, name: str) -> None:
    """The agent chooses the visitor's conversation."""
    item(page, name).click()
    expect(page.get_by_role("region", name=f"Conversation with {name}")).to_be_visible()
    expect(log(page)).not_to_have_attribute("aria-busy", "true")


def test_both_sides_have_a_message_at_once(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, "Is it in stock?", attributes={"name": "Ada"})
    page = open_chats(agent)
    opens(page, "Ada")
    expect(log(page).get_by_text("Is it in stock?")).to_be_visible()
    field(page).fill("Yes, it is.")
    page.keyboard.press("Enter")
    wait_for(lambda: chat.texts[-1:] == ["Yes, it is."], 2)
    chat.says("Lovely.\nTwo please.")
    expect(log(page).locator(".text").last).to_have_text(
        "Lovely.\nTwo please.", timeout=SOON, use_inner_text=True
    )
    assert said(page) == ["Is it in stock?", "Yes, it is.", "Lovely.\nTwo please."]
    expect(field(page)).to_have_value("")
    expect(field(page)).to_be_focused()


def test_first_answer_makes_the_conversation_the_agents_own(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Bob"})
    page = open_chats(agent)
    opens(page, "Bob")
    assert chat.row.agent_id == 0
    field(page).fill("Hello Bob")
    page.get_by_role("button", name="Send").click()
    wait_for(lambda: chat.row.agent_id == agent.id, 5)


def test_typing_and_read_marks_are_shown(open_chats: OpenChats, engine, site, agent, visit) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Cleo"})
    page = open_chats(agent)
    opens(page, "Cleo")
    wait_for(lambda: chat.row.agent_read == 1, 5)
    field(page).fill("One moment")
    wait_for(lambda: chat.row.agent_typing_at is not None, 5)
    page.keyboard.press("Enter")
    expect(log(page).get_by_text("One moment")).to_be_visible()
    expect(log(page).get_by_text("Seen")).to_have_count(0)
    chat.reads()
    expect(log(page).get_by_text("Seen")).to_be_visible()
    chat.types()
    expect(page.locator(".log-box .typing")).to_have_text("Cleo is typing …")
    chat.says("Sure")
    expect(page.locator(".log-box .typing")).to_have_text("")


def test_two_tabs_share_one_stream(new_context, dashboard, engine, site, agent, visit) -> None:
    context = new_context(agent)
    streams: list[str] = []
    context.on("request", lambda asked: "/agent/stream" in asked.url and streams.append(asked.url))
    chat = visitor_opens(engine, site, visit, attributes={"name": "Dora"})
    pages = [context.new_page() for _ in range(3)]
    for page in pages:
        page.goto(f"{dashboard}/chats")
        opens(page, "Dora")
    chat.says("Anybody there?")
    for page in pages:
        expect(log(page).get_by_text("Anybody there?")).to_be_visible(timeout=SOON)
    assert len(streams) == 1
    pages[0].close()
    for _ in range(100):  # what the browser asks for is told only while it is waited for
        pages[1].wait_for_timeout(100)
        if len(streams) == 2:
            break
    chat.says("And now?")
    for page in pages[1:]:
        expect(log(page).get_by_text("And now?")).to_be_visible()
        assert said(page) == ["Hello?", "Anybody there?", "And now?"]
    assert len(streams) == 2


def test_draft_survives_refreshes_other_chats_and_a_reload(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    visitor_opens(engine, site, visit, attributes={"name": "Eve"})
    visitor_opens(engine, site, f"{visit}b", attributes={"name": "Fay"})
    page = open_chats(agent)
    opens(page, "Eve")
    field(page).fill("I look it up for")
    facts = page.get_by_text("Now on")
    expect(facts).to_be_visible()
    page.wait_for_timeout(6_000)  # the facts beside it are drawn again every 5 s
    expect(field(page)).to_have_value("I look it up for")
    opens(page, "Fay")
    expect(field(page)).to_have_value("")
    opens(page, "Eve")
    expect(field(page)).to_have_value("I look it up for")
    page.reload()
    expect(field(page)).to_have_value("I look it up for")
    assert "conversation=" in page.url


def test_back_shows_the_conversation_of_the_address(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    visitor_opens(engine, site, visit, attributes={"name": "Eli"})
    visitor_opens(engine, site, f"{visit}b", attributes={"name": "Flo"})
    page = open_chats(agent)
    facts = page.get_by_role("heading", level=2)
    for name in ("Eli", "Flo"):
        opens(page, name)
        expect(facts.filter(has_text=name)).to_have_count(2)  # of the chat, and of the visitor
    page.go_back()
    expect(page.get_by_role("region", name="Conversation with Eli")).to_be_visible()
    expect(facts.filter(has_text="Eli")).to_have_count(2)
    page.go_forward()
    expect(page.get_by_role("region", name="Conversation with Flo")).to_be_visible()
    expect(facts.filter(has_text="Flo")).to_have_count(2)


def test_nodes_and_focus_live_through_changes(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Gil"})
    page = open_chats(agent)
    opens(page, "Gil")
    line = log(page).locator(".message").first
    line.evaluate("node => { node.isTheSame = true }")
    entry = item(page, "Gil")
    entry.evaluate("node => { node.isTheSame = true }")
    entry.focus()
    other = visitor_opens(engine, site, f"{visit}b", attributes={"name": "Hal"})
    expect(item(page, "Hal")).to_be_visible()
    other.says("Hurry")
    chat.says("Still here")
    expect(log(page).get_by_text("Still here")).to_be_visible()
    assert line.evaluate("node => node.isTheSame") is True
    assert entry.evaluate("node => node.isTheSame") is True
    expect(entry).to_be_focused()


def test_colleague_takes_over(new_context, dashboard, engine, site, visit) -> None:
    ann, bea = make_agent(engine, "Ann"), make_agent(engine, "Bea")
    chat = visitor_opens(engine, site, visit, attributes={"name": "Ivy"})
    first, second = (new_context(each).new_page() for each in (ann, bea))
    for page in (first, second):
        page.goto(f"{dashboard}/chats")
        opens(page, "Ivy")
    field(first).fill("I am Ann")
    first.keyboard.press("Enter")
    expect(second.get_by_text("Ann talks with this visitor.")).to_be_visible()
    expect(field(second)).to_be_hidden()
    second.get_by_role("button", name="Take over").click()
    expect(field(second)).to_be_focused()
    field(second).fill("I am Bea")
    second.keyboard.press("Enter")
    expect(first.get_by_text("Bea talks with this visitor.")).to_be_visible()
    expect(field(first)).to_be_hidden()
    assert chat.texts == ["Hello?", "I am Ann", "I am Bea"]
    assert chat.row.agent_id == bea.id


def test_title_counts_who_waits(open_chats: OpenChats, engine, site, agent, visit) -> None:
    for row in _open(engine):
        row.ends()
    page = open_chats(agent, "")
    expect(page).to_have_title("Visitor Monitor")
    chat = visitor_opens(engine, site, visit, attributes={"name": "Jon"})
    other = visitor_opens(engine, site, f"{visit}b", attributes={"name": "Kim"})
    expect(page).to_have_title("(2) Visitor Monitor")
    expect(page.get_by_role("button", name="2 visitors wait for you")).to_be_visible()
    page.get_by_role("link", name="Sites").click()
    expect(page).to_have_url(re.compile("/sites"))
    page.wait_for_timeout(500)  # Streamlit sets the title again
    expect(page).to_have_title("(2) Visitor Monitor")
    other.ends()
    expect(page).to_have_title("(1) Visitor Monitor")
    page.get_by_role("button", name="1 visitor waits for you").click()
    opens(page, "Jon")
    expect(page).to_have_title("Visitor Monitor")
    assert chat.row.agent_read == 1


def test_sound_is_off_until_it_is_wanted(open_chats: OpenChats, engine, site, agent, visit) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Lou"})
    page = open_chats(agent)
    page.evaluate(
        "() => { window.tones = 0; const start = OscillatorNode.prototype.start;"
        "OscillatorNode.prototype.start = function (...when) {"
        "window.tones += 1; start.apply(this, when) } }"
    )
    expect(item(page, "Lou")).to_be_visible()
    chat.says("One")
    expect(item(page, "Lou")).to_contain_text("One")
    assert page.evaluate("window.tones") == 0
    page.get_by_role("button", name="Sound off").click()
    page.wait_for_function("window.tones === 2")
    chat.says("Two")
    page.wait_for_function("window.tones === 4")
    page.reload()
    expect(page.get_by_role("button", name="Sound on")).to_be_visible()


def test_hostile_text_is_shown_as_it_stands(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(
        engine,
        site,
        visit,
        HOSTILE,
        attributes={"name": HOSTILE},
        current_path=f"/{HOSTILE}",
        current_title=HOSTILE,
    )
    page = open_chats(agent)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    opens(page, HOSTILE)
    assert said(page) == [HOSTILE]
    field(page).fill(HOSTILE)
    page.keyboard.press("Enter")
    wait_for(lambda: chat.texts == [HOSTILE, HOSTILE], 5)
    expect(page.get_by_text("Now on")).to_be_visible()
    chat.ends()
    page.goto(f"{page.url.split('/chats')[0]}/chats?site=tea&past={chat.id}")
    expect(
        page.get_by_role("list", name="Messages").get_by_text(HOSTILE, exact=True)
    ).to_have_count(2)
    assert page.locator("img[src*=evil]").count() == 0


def test_keyboard_alone_is_enough(open_chats: OpenChats, engine, site, agent, visit) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Mia"})
    other = visitor_opens(engine, site, f"{visit}b", attributes={"name": "Nia"})
    page = open_chats(agent)
    item(page, "Mia").focus()
    page.keyboard.press("ArrowDown")
    expect(item(page, "Nia")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(field(page)).to_be_focused()
    page.keyboard.type("First line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Enter")
    wait_for(lambda: chat.texts[-1] == "First line\nsecond line", 5)
    page.keyboard.press("Escape")
    expect(item(page, "Mia")).to_be_focused()
    page.get_by_role("button", name="Replies").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    chosen = page.get_by_role("menuitem").first.inner_text()
    page.keyboard.press("Enter")
    expect(field(page)).to_have_value(chosen)
    page.keyboard.press("Enter")
    wait_for(lambda: chat.texts[-1] == chosen, 5)
    page.get_by_role("button", name="End", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="End", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    wait_for(lambda: chat.row.state == ConversationState.ENDED, 5)
    expect(page.get_by_text("Ended by Ann")).to_be_visible()
    assert other.row.state == ConversationState.OPEN


def test_enter_that_ends_a_composition_does_not_send(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Oki"})
    page = open_chats(agent)
    opens(page, "Oki")
    field(page).fill("にほん")
    field(page).dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    field(page).dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "bubbles": True})
    expect(field(page)).to_have_value("にほん")
    page.keyboard.press("r")  # Streamlit's own key for a new run of the page
    expect(field(page)).to_have_value("にほんr")
    assert chat.texts == ["Hello?"]


def test_states_of_an_invitation_are_followed(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = agent_invites(engine, site, visit, agent, attributes={"name": "Pia"})
    page = open_chats(agent)
    expect(item(page, "Pia")).to_contain_text("Invitation queued")
    opens(page, "Pia")
    steps = page.get_by_role("list", name="Invitation")
    expect(steps).to_have_text(re.compile(r"^Invited by Ann \d\d:\d\d$"))
    chat.is_delivered()
    expect(item(page, "Pia")).to_contain_text("Invitation delivered")
    chat.is_shown()
    expect(item(page, "Pia")).to_contain_text("Invitation shown")
    chat.is_accepted()
    expect(field(page)).to_be_visible()
    expect(steps).to_contain_text("Accepted")
    chat.says("Hi!")
    expect(log(page).get_by_text("Hi!")).to_be_visible()
    chat.ends()
    expect(page.get_by_text("Ended by the visitor")).to_be_visible()
    expect(field(page)).to_be_hidden()


def test_dismissed_invitation_is_told(open_chats: OpenChats, engine, site, agent, visit) -> None:
    chat = agent_invites(engine, site, visit, agent, attributes={"name": "Quin"})
    page = open_chats(agent)
    opens(page, "Quin")
    chat.is_delivered()
    chat.is_shown()
    chat.is_dismissed()
    expect(page.get_by_text("The visitor dismissed the invitation")).to_be_visible()
    expect(item(page, "Quin")).to_contain_text("Dismissed")


def test_message_that_was_left_is_listed_until_it_is_read(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    visitor_opens(engine, site, visit, "Call me", is_attended=False, attributes={"name": "Rae"})
    page = open_chats(agent)
    expect(item(page, "Rae")).to_contain_text("Left a message")
    opens(page, "Rae")
    expect(log(page).get_by_text("Call me")).to_be_visible()
    expect(page.get_by_text("Left while nobody was available")).to_be_visible()
    expect(field(page)).to_be_hidden()


def test_lost_connection_is_told_and_nothing_is_lost(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Sue"})
    page = open_chats(agent)
    opens(page, "Sue")
    page.context.set_offline(True)
    field(page).fill("One")
    page.keyboard.press("Enter")
    field(page).fill("Two")
    page.keyboard.press("Enter")
    expect(log(page).get_by_text("Sending …").first).to_be_visible()
    chat.says("Still there?")
    page.context.set_offline(False)
    wait_for(lambda: [text for text in chat.texts if text in ("One", "Two")] == ["One", "Two"], 20)
    expect(log(page).get_by_text("Still there?")).to_be_visible()
    expect(log(page).get_by_text("Sending …")).to_have_count(0)
    assert said(page) == chat.texts


def test_restart_of_the_dashboard_is_told_and_loses_nothing(
    browser: Browser, database, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Sid"})
    port = free_port()
    context = browser.new_context()
    page = context.new_page()
    with running_dashboard(database[0], port) as address:
        context.add_cookies([{"name": COOKIE, "value": agent.key, "url": address}])
        page.goto(f"{address}/chats")
        opens(page, "Sid")
    expect(page.get_by_text("The connection is lost.").first).to_be_visible()
    field(page).fill("Written while nothing answers")
    page.keyboard.press("Enter")
    chat.says("Said while nothing answers")
    with running_dashboard(database[0], port):
        expect(log(page).get_by_text("Said while nothing answers")).to_be_visible(timeout=60_000)
        expect(page.get_by_text("The connection is lost.")).to_have_count(0)
        expect(log(page).get_by_text("Sending …")).to_have_count(0)
        said_at_last = ["Hello?", "Said while nothing answers", "Written while nothing answers"]
        assert sorted(said(page)) == sorted(said_at_last)
        assert said(page) == chat.texts
    context.close()


def test_unsent_message_lives_through_a_reload(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Tim"})
    page = open_chats(agent)
    opens(page, "Tim")
    page.route("**/agent/send", lambda route: route.abort())
    field(page).fill("It is on its way")
    page.keyboard.press("Enter")
    expect(log(page).get_by_text("Sending …")).to_be_visible()
    page.unroute("**/agent/send")
    page.reload()
    wait_for(lambda: chat.texts == ["Hello?", "It is on its way"], 20)
    expect(log(page).get_by_text("It is on its way")).to_have_count(1)


def test_answer_to_an_ended_chat_is_refused_with_a_reason(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Uma"})
    page = open_chats(agent)
    opens(page, "Uma")
    page.route("**/agent/send", lambda route: (chat.ends(), route.continue_()))
    field(page).fill("Too late")
    page.keyboard.press("Enter")
    expect(log(page).get_by_text("The conversation has ended.")).to_be_visible()
    log(page).get_by_role("button", name="Remove").click()
    expect(log(page).get_by_text("Too late")).to_have_count(0)
    assert chat.texts == ["Hello?"]


def test_polling_takes_over_where_a_proxy_holds_the_stream(
    open_chats: OpenChats, new_context, dashboard, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Vic"})
    context = new_context(agent)
    context.route("**/agent/stream*", lambda route: None)
    page = context.new_page()
    page.goto(f"{dashboard}/chats")
    opens(page, "Vic")
    chat.says("Through the proxy")
    expect(log(page).get_by_text("Through the proxy")).to_be_visible(timeout=SOON)


def test_name_is_asked_once_and_kept(open_chats: OpenChats, engine, dashboard) -> None:
    before = len(_agents(engine))
    page = open_chats(None)
    page.get_by_role("textbox", name="Your name").first.fill("Zoë")
    page.get_by_role("button", name="Save name").first.click()
    expect(page.get_by_role("navigation", name="Chats")).to_be_visible()
    other = page.context.new_page()
    other.goto(dashboard)
    expect(other.locator(".agent-name")).to_have_text("Zoë")
    agents = _agents(engine)
    assert len(agents) == before + 1
    cookie: Any = next(each for each in page.context.cookies() if each.get("name") == COOKIE)
    assert cookie["sameSite"] == "Strict"
    with reading(engine) as db:
        found = find_agent(db, cookie["value"])
    assert found is not None and found.name == "Zoë"


def test_name_given_in_one_tab_is_known_in_the_other(open_chats: OpenChats, dashboard) -> None:
    page = open_chats(None, "")
    other = page.context.new_page()
    other.goto(f"{dashboard}/chats")
    other.get_by_role("textbox", name="Your name").first.fill("Yve")
    other.get_by_role("button", name="Save name").first.click()
    expect(other.get_by_role("navigation", name="Chats")).to_be_visible()
    expect(page.locator(".agent-name")).to_have_text("Yve")


def test_screen_reader_finds_list_conversation_and_field(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    for chat in _open(engine):
        chat.ends()
    visitor_opens(engine, site, visit, "Good morning", attributes={"name": "Wes"})
    page = open_chats(agent)
    opens(page, "Wes")
    expect(page.get_by_role("region", name="Conversation with Wes")).to_match_aria_snapshot(
        """
        - region "Conversation with Wes":
          - heading "Wes" [level=2]
          - button "End"
          - list "Invitation":
            - listitem: /The visitor opened this chat/
          - log "Messages":
            - listitem:
              - paragraph: Wes
              - paragraph: Good morning
          - textbox "Message"
          - button "Replies"
          - button "Send" [disabled]
        """
    )
    expect(page.get_by_role("navigation", name="Chats")).to_match_aria_snapshot(
        """
        - navigation "Chats":
          - heading [level=2]
          - button "Sound off"
          - heading "Open" [level=3]
          - list "Open":
            - listitem:
              - button /Wes .*Good morning/
        """
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width, height", [(1440, 900), (390, 844)])
def test_chats_fit_their_screen(
    open_chats: OpenChats, engine, site, visit, width: int, height: int, theme: str
) -> None:
    agent = make_agent(engine, "Ann")
    seed_story(engine, site, visit, agent)
    page = open_chats(agent, width=width, height=height, theme=theme)
    opens(page, "Grace Hopper")
    expect(page.get_by_text("Now on")).to_be_visible()
    page.wait_for_function("document.querySelectorAll('[data-testid=stSkeleton]').length === 0")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep_screenshot(page, f"chats-{width}-{theme}")
    page.get_by_role("tab", name="Past").click()
    expect(page.get_by_role("table", name="Past chats")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep_screenshot(page, f"chats-past-{width}-{theme}")


def seed_story(engine: Any, site: Any, visit: str, agent: Agent) -> None:
    """A working day: chats in every state."""
    for chat in _open(engine):
        chat.ends()
    colleague = make_agent(engine, "Bea")
    grace = agent_invites(
        engine,
        site,
        f"{visit}g",
        agent,
        "Hello! You are looking at our Amber Oolong. May I help you choose?",
        attributes={"name": "Grace Hopper"},
        current_path="/checkout/shipping",
        current_title="Checkout",
        page_context="In Checkout",
        country="FR",
    )
    grace.is_delivered()
    grace.is_shown()
    grace.is_accepted()
    grace.says("Oh hello! Yes please.\nIs it a light or a dark one?")
    grace.agent_says(agent, "It is a medium roast: honey, a little toast.")
    grace.reads()
    grace.says("That sounds right. And how long does shipping to Lyon take?")
    visitor_opens(
        engine,
        site,
        f"{visit}a",
        "Do you have the moon bowl in blue?",
        attributes={"name": "Ada Lovelace"},
        current_path="/products/moon-bowl",
    )
    alan = visitor_opens(
        engine, site, f"{visit}t", "My voucher does not work", attributes={"name": "Alan Turing"}
    )
    alan.agent_says(colleague, "Let me see. Which one is it?")
    agent_invites(engine, site, f"{visit}k", agent, attributes={}).is_delivered()
    visitor_opens(
        engine,
        site,
        f"{visit}l",
        "Please write to me about wholesale prices: linus@example.org",
        is_attended=False,
        attributes={"name": "Linus"},
    )
    no = agent_invites(engine, site, f"{visit}n", agent, attributes={"name": "Nora"})
    no.is_delivered()
    no.is_shown()
    no.is_dismissed()


def keep_screenshot(page: Page, name: str) -> None:
    """What is on the screen; on a phone the whole page."""
    ARTIFACTS.mkdir(exist_ok=True)
    page.mouse.move(0, 0)
    page.wait_for_timeout(700)
    page.screenshot(path=ARTIFACTS / f"{name}.png")


def _open(engine: Any) -> list[Chat]:
    """Every conversation that is open."""
    with reading(engine) as db:
        sites = {site.id: site for site in list_sites(db)}
        rows = open_conversations(db)
    return [
        Chat(engine, sites[row.site_id], row.id)
        for row in rows
        if row.state == ConversationState.OPEN
    ]


def _agents(engine: Any) -> list[Agent]:
    with reading(engine) as db:
        return list(list_agents(db))
