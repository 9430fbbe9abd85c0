"""Chatting as agents do it: the real dashboard in Chromium, and faults of the connection."""

# Fixtures are imported by their name: a test's parameter is no redefinition.
# ruff: noqa: F811

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.helpers.agent_browsers import (  # noqa: F401
    COOKIE,
    SOON,
    OpenChats,
    agent,
    dashboard,
    database,
    engine,
    field,
    item,
    log,
    new_context,
    open_chats,
    open_conversation,
    shown_texts,
    site,
    visit,
)
from tests.helpers.dashboard_chats import agent_invites, make_agent, secret_of, visitor_opens
from tests.helpers.free_port import free_port
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard

pytestmark = pytest.mark.timeout(300)


def test_both_sides_have_a_message_at_once(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, "Is it in stock?", attributes={"name": "Ada"})
    page = open_chats(agent)
    open_conversation(page, "Ada")
    expect(log(page).get_by_text("Is it in stock?")).to_be_visible()
    field(page).fill("Yes, it is.")
    page.keyboard.press("Enter")
    wait_for(lambda: chat.texts[-1:] == ["Yes, it is."], 2)
    chat.says("Lovely.\nTwo please.")
    expect(log(page).locator(".text").last).to_have_text(
        "Lovely.\nTwo please.", timeout=SOON, use_inner_text=True
    )
    assert shown_texts(page) == ["Is it in stock?", "Yes, it is.", "Lovely.\nTwo please."]
    expect(field(page)).to_have_value("")
    expect(field(page)).to_be_focused()


def test_link_in_a_message_is_an_element_of_its_own(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    text = "Is it (https://shop.example/tea_(green))? javascript:alert(1) https://a@b.example"
    chat = visitor_opens(engine, site, visit, text, attributes={"name": "Lin"})
    page = open_chats(agent)
    open_conversation(page, "Lin")
    chat.agent_says(agent, "Yes: https://пример.example/чай")
    links = log(page).get_by_role("link")
    expect(links).to_have_text(["https://shop.example/tea_(green)", "https://пример.example/чай"])
    for name, value in {"target": "_blank", "rel": "noopener noreferrer nofollow"}.items():
        expect(links.first).to_have_attribute(name, value)
    assert shown_texts(page) == chat.texts


def test_paste_that_is_too_long_says_so_and_is_kept(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Max"})
    page = open_chats(agent, width=700)
    open_conversation(page, "Max")
    field(page).focus()
    page.keyboard.insert_text("😀" * 1_999 + "xyz")
    said = "Characters too many: 2"
    expect(page.get_by_role("status").get_by_text(said)).to_be_visible()
    expect(field(page)).to_have_accessible_description(said)
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    page.keyboard.press("Enter")
    expect(field(page)).to_have_value("😀" * 1_999 + "xyz")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    expect(page.get_by_text("Characters too many")).to_have_count(0)
    page.keyboard.press("Enter")
    wait_for(lambda: chat.texts[1:] == ["😀" * 1_999 + "x"], 5)


def test_first_answer_makes_the_conversation_the_agents_own(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Bob"})
    page = open_chats(agent)
    open_conversation(page, "Bob")
    assert chat.row.agent_id == 0
    field(page).fill("Hello Bob")
    page.get_by_role("button", name="Send").click()
    wait_for(lambda: chat.row.agent_id == agent.id, 5)


def test_typing_and_read_marks_are_shown(open_chats: OpenChats, engine, site, agent, visit) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Cleo"})
    page = open_chats(agent)
    open_conversation(page, "Cleo")
    wait_for(lambda: chat.row.agent_read == 1, 5)
    field(page).fill("One moment")
    wait_for(lambda: chat.row.agent_typing_at is not None, 5)
    page.keyboard.press("Enter")
    expect(log(page).get_by_text("One moment")).to_be_visible()
    expect(log(page).get_by_text("Seen")).to_have_count(0)
    wait_for(lambda: "One moment" in chat.texts)  # the page shows it before
    chat.reads()
    expect(log(page).get_by_text("Seen")).to_be_visible()
    chat.types()
    expect(page.locator(".log-box .typing")).to_have_text("Cleo is typing …")
    chat.says("Sure")
    expect(page.locator(".log-box .typing")).to_have_text("")


@pytest.mark.long
def test_typing_ends_by_itself_and_is_in_no_later_picture(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    """The end of it is never reported: the visitor has closed the page."""
    chat = visitor_opens(engine, site, visit, "Hello?", attributes={"name": "Tessa"})
    page = open_chats(agent)
    open_conversation(page, "Tessa")
    wait_for(lambda: chat.row.agent_read == 1, 5)
    chat.types()
    expect(item(page, "Tessa")).to_contain_text("is typing …")
    expect(page.locator(".log-box .typing")).to_have_text("Tessa is typing …")
    expect(item(page, "Tessa")).to_contain_text("Hello?", timeout=15_000)
    expect(page.locator(".log-box .typing")).to_have_text("")
    chat.reads()  # the news of it bring the conversation again
    page.reload()
    expect(item(page, "Tessa")).to_be_visible()
    assert "is typing" not in (item(page, "Tessa").text_content() or "")


def test_states_of_an_invitation_are_followed(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = agent_invites(engine, site, visit, agent, attributes={"name": "Pia"})
    page = open_chats(agent)
    expect(item(page, "Pia")).to_contain_text("Invitation queued")
    open_conversation(page, "Pia")
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
    expect(page.locator(".closed")).to_contain_text("Ended by the visitor")
    expect(item(page, "Pia")).to_contain_text("Ended by the visitor")
    expect(field(page)).to_be_hidden()


def test_dismissed_invitation_is_shown_as_dismissed(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = agent_invites(engine, site, visit, agent, attributes={"name": "Quin"})
    page = open_chats(agent)
    open_conversation(page, "Quin")
    chat.is_delivered()
    chat.is_shown()
    chat.is_dismissed()
    expect(page.get_by_text("The visitor dismissed the invitation")).to_be_visible()
    expect(item(page, "Quin")).to_contain_text("Dismissed")


def test_colleague_takes_over(new_context, dashboard, engine, site, visit) -> None:
    ann, bea = make_agent(engine, "Ann"), make_agent(engine, "Bea")
    chat = visitor_opens(engine, site, visit, attributes={"name": "Ivy"})
    first, second = (new_context(each).new_page() for each in (ann, bea))
    for page in (first, second):
        page.goto(f"{dashboard}/chats")
        open_conversation(page, "Ivy")
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
    wait_for(lambda: chat.texts == ["Hello?", "I am Ann", "I am Bea"], 5)
    assert chat.row.agent_id == bea.id


@pytest.mark.long
def test_two_tabs_share_one_stream(new_context, dashboard, engine, site, agent, visit) -> None:
    context = new_context(agent)
    streams: list[str] = []
    context.on(
        "request", lambda request: "/agent/stream" in request.url and streams.append(request.url)
    )
    chat = visitor_opens(engine, site, visit, attributes={"name": "Dora"})
    pages = [context.new_page() for _ in range(3)]
    for page in pages:
        page.goto(f"{dashboard}/chats")
        open_conversation(page, "Dora")
    chat.says("Anybody there?")
    for page in pages:
        expect(log(page).get_by_text("Anybody there?")).to_be_visible(timeout=SOON)
    assert len(streams) == 1
    pages[0].close()
    for _ in range(100):  # Playwright reports requests only during a wait
        pages[1].wait_for_timeout(100)
        if len(streams) == 2:
            break
    chat.says("And now?")
    for page in pages[1:]:
        expect(log(page).get_by_text("And now?")).to_be_visible()
        assert shown_texts(page) == ["Hello?", "Anybody there?", "And now?"]
    assert len(streams) == 2


FALL_BEHIND = """() => {
    window[Symbol.for('visitor-monitor-chats')].revision -= 1
    const { fetch } = window
    window.fetch = async (...request) => {
        const answer = await fetch(...request)
        if (!String(request[0]).includes('/agent/poll') || window.letIn) return answer
        return new Promise((done) => (window.letIn = () => done(answer)))
    }
}"""
"""The tab has missed a change, as after a sleep; the first poll is answered when the test lets it."""


@pytest.mark.long
def test_tab_that_fell_behind_gets_what_comes_while_it_reads(
    new_context, dashboard, engine, site, agent, visit
) -> None:
    context = new_context(agent)
    chat = visitor_opens(engine, site, visit, attributes={"name": "Roy"})
    leading, behind = (context.new_page() for _ in range(2))
    for page in (leading, behind):
        page.goto(f"{dashboard}/chats")
        expect(item(page, "Roy")).to_be_visible()
    behind.evaluate(FALL_BEHIND)
    chat.says("One")
    behind.wait_for_function("!!window.letIn")
    chat.says("Two")
    expect(item(leading, "Roy")).to_contain_text("Two")
    behind.evaluate("window.letIn()")
    expect(item(behind, "Roy")).to_contain_text("Two", timeout=SOON)


def test_lost_connection_is_shown_and_nothing_is_lost(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Sue"})
    page = open_chats(agent)
    open_conversation(page, "Sue")
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
    assert shown_texts(page) == chat.texts


@pytest.mark.long
def test_restart_of_the_dashboard_is_shown_and_loses_nothing(
    browser: Browser, database, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Sid"})
    port = free_port()
    context = browser.new_context()
    page = context.new_page()
    with running_dashboard(database[0], port) as address:
        context.add_cookies([{"name": COOKIE, "value": secret_of(agent), "url": address}])
        page.goto(f"{address}/chats")
        open_conversation(page, "Sid")
    expect(page.get_by_text("The connection is lost.").first).to_be_visible()
    field(page).fill("Written while nothing answers")
    page.keyboard.press("Enter")
    chat.says("Said while nothing answers")
    with running_dashboard(database[0], port):
        expect(log(page).get_by_text("Said while nothing answers")).to_be_visible(timeout=60_000)
        expect(page.get_by_text("The connection is lost.")).to_have_count(0)
        expect(log(page).get_by_text("Sending …")).to_have_count(0)
        texts_at_last = ["Hello?", "Said while nothing answers", "Written while nothing answers"]
        assert sorted(shown_texts(page)) == sorted(texts_at_last)
        assert shown_texts(page) == chat.texts
    context.close()


def test_unsent_message_lives_through_a_reload(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Tim"})
    page = open_chats(agent)
    open_conversation(page, "Tim")
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
    open_conversation(page, "Uma")
    page.route("**/agent/send", lambda route: (chat.ends(), route.continue_()))
    field(page).fill("Too late")
    page.keyboard.press("Enter")
    expect(log(page).get_by_text("The conversation has ended.")).to_be_visible()
    log(page).get_by_role("button", name="Remove").click()
    expect(log(page).get_by_text("Too late")).to_have_count(0)
    assert chat.texts == ["Hello?"]


@pytest.mark.long
def test_polling_takes_over_where_a_proxy_holds_the_stream(
    open_chats: OpenChats, new_context, dashboard, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Vic"})
    context = new_context(agent)
    context.route("**/agent/stream*", lambda route: None)
    page = context.new_page()
    page.goto(f"{dashboard}/chats")
    open_conversation(page, "Vic")
    chat.says("Through the proxy")
    expect(log(page).get_by_text("Through the proxy")).to_be_visible(timeout=SOON)


EVENT_SOURCE = """
window.EventSource = class extends EventTarget {
  constructor() {
    super()
    setTimeout(() => this.say("hello", { following: false }), 50)
    window.saySignOfLife = () => this.say("beat", { now: Date.now() })
  }
  say(kind, data) { this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) })) }
  close() {}
}
"""


def test_agent_is_told_while_the_dashboard_cannot_follow_the_chats(
    new_context, dashboard: str, agent
) -> None:
    page = new_context(agent).new_page()
    page.add_init_script(EVENT_SOURCE)
    page.goto(f"{dashboard}/chats")
    expect(page.get_by_text("What visitors write comes late")).to_be_visible()
    page.evaluate("saySignOfLife()")
    expect(page.get_by_text("What visitors write comes late")).to_have_count(0)
