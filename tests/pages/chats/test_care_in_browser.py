"""A chat that nobody is left alone in, as agents see it: who waits, who has gone, who takes over."""

# Fixtures are imported by their name: a test's parameter is no redefinition.
# ruff: noqa: F811

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update
from sqlmodel import col

from core.agents import mark_seen
from core.chat.blocks import is_blocked
from core.chat.departure import note_departures
from core.chat.notes import notes
from core.chat.vacancy import UNHEARD_FOR, UnheardAgents, vacate_due
from core.database import reading, writing
from core.tables import Visit
from tests.helpers.agent_browsers import (  # noqa: F401
    OpenChats,
    agent,
    all_open_chats,
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
from tests.helpers.dashboard_chats import Chat, make_agent, now, visitor_opens
from tests.helpers.running_collector import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
HOUR = timedelta(hours=1)

COUNT_TONES = (
    "() => { window.tones = 0; const start = OscillatorNode.prototype.start;"
    "OscillatorNode.prototype.start = function (...when) {"
    "window.tones += 1; start.apply(this, when) } }"
)


def names(page: Page) -> list[str]:
    """Who is listed as open, from the top."""
    return page.get_by_role("list", name="Open").locator(".name").all_inner_texts()


def choose_more(page: Page, what: str) -> None:
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name=what).click()


def vacate(engine, gone) -> None:
    """The agent has gone long ago, and the collector notes it."""
    unheard = UnheardAgents()
    with writing(engine) as db:
        mark_seen(db, gone.id, now() - HOUR)
        for at in range(0, int(UNHEARD_FOR) + 15, 5):
            vacate_due(db, now(), unheard, float(at))


def leave_site(engine, chat: Chat) -> None:
    """The visitor has had no page in view for an hour, and the collector notes it."""
    moments = {"last_seen_at": now() - HOUR, "in_view_until": now() - HOUR}
    with writing(engine) as db:
        db.execute(update(Visit).where(col(Visit.id) == chat.row.visit_id).values(**moments))
        note_departures(db, now())


def test_who_has_gone_sinks_and_is_marked(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    for chat in all_open_chats(engine):
        chat.ends()
    gone = visitor_opens(engine, site, f"{visit}a", attributes={"name": "Gus"})
    visitor_opens(engine, site, f"{visit}b", attributes={"name": "Hal"})
    page = open_chats(agent)
    expect(item(page, "Hal")).to_be_visible()
    assert names(page) == ["Gus", "Hal"]
    leave_site(engine, gone)
    expect(item(page, "Gus")).to_contain_text("left 60 min ago")
    assert names(page) == ["Hal", "Gus"]
    gone.says("I am back")
    expect(item(page, "Gus")).not_to_contain_text("left")
    assert names(page) == ["Gus", "Hal"]


def test_chat_of_an_agent_who_has_gone_calls_every_colleague(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    for chat in all_open_chats(engine):
        chat.ends()
    bea = make_agent(engine, "Bea")
    chat = visitor_opens(engine, site, visit, attributes={"name": "Ida"})
    chat.agent_says(bea, "One moment")
    page = open_chats(agent)
    page.evaluate(COUNT_TONES)
    open_conversation(page, "Ida")
    expect(page.get_by_text("Bea talks with this visitor.")).to_be_visible()
    expect(page).to_have_title("Chats · Visitor Monitor")
    page.get_by_role("button", name="Sound off").click()
    page.wait_for_function("window.tones === 2")
    vacate(engine, bea)
    expect(page).to_have_title("(1) Chats · Visitor Monitor")
    expect(item(page, "Ida")).to_contain_text("needs an agent")
    page.wait_for_function("window.tones === 4")
    page.get_by_role("button", name="Take", exact=True).click()
    expect(field(page)).to_be_focused()
    wait_for(lambda: chat.row.agent_id == agent.id)
    expect(page).to_have_title("Chats · Visitor Monitor")
    assert chat.row.vacated_at is None


def test_chat_is_given_to_a_colleague_who_hears_it(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    for chat in all_open_chats(engine):
        chat.ends()
    bea = make_agent(engine, "Beatrix")
    chat = visitor_opens(engine, site, visit, attributes={"name": "Jan"})
    chat.agent_says(agent, "Good morning")
    mine, hers = open_chats(agent), open_chats(bea)
    hers.evaluate(COUNT_TONES)
    hers.get_by_role("button", name="Sound off").click()
    hers.wait_for_function("window.tones === 2")
    expect(hers).to_have_title("Chats · Visitor Monitor")
    open_conversation(mine, "Jan")
    choose_more(mine, "Give to Beatrix")
    expect(mine.get_by_text("Beatrix talks with this visitor.")).to_be_visible()
    expect(hers).to_have_title("(1) Chats · Visitor Monitor")
    expect(item(hers, "Jan")).to_contain_text("given to you")
    hers.wait_for_function("window.tones === 4")
    open_conversation(hers, "Jan")
    expect(field(hers)).to_be_focused()
    hers.keyboard.type("Beatrix here")
    hers.keyboard.press("Enter")
    expect(hers).to_have_title("Chats · Visitor Monitor")
    wait_for(lambda: chat.texts == ["Hello?", "Good morning", "Beatrix here"])
    assert (chat.row.agent_id, chat.row.given_at) == (bea.id, None)


def test_note_stands_in_its_place_for_every_agent(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, "First", attributes={"name": "Kai"})
    mine, hers = open_chats(agent), open_chats(make_agent(engine, "Bea"))
    for page in (mine, hers):
        open_conversation(page, "Kai")
    choose_more(mine, "Add a note")
    note = mine.get_by_role("textbox", name="Note")
    expect(note).to_be_focused()
    expect(mine.get_by_text("Only agents see it")).to_be_visible()
    mine.keyboard.type("Asked by phone before")
    mine.keyboard.press("Enter")
    expect(note).to_be_hidden()
    expect(log(hers).get_by_text("Note by Ann")).to_be_visible()
    chat.says("Second")
    expect(log(hers).get_by_text("Second")).to_be_visible()
    assert shown_texts(hers) == ["First", "Asked by phone before", "Second"]
    expect(log(mine).get_by_text("Your note")).to_be_visible()
    assert chat.texts == ["First", "Second"]
    with reading(engine) as db:
        assert len(notes(db, site.id, chat.id)) == 1


def test_visitor_is_blocked_after_one_question(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, "Rude", attributes={"name": "Leo"})
    page = open_chats(agent)
    open_conversation(page, "Leo")
    choose_more(page, "Block this visitor")
    expect(page.get_by_text("Block this visitor? The chat ends")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    assert chat.row.state == "open"
    choose_more(page, "Block this visitor")
    page.get_by_role("button", name="Block", exact=True).click()
    expect(field(page)).to_be_hidden()
    wait_for(lambda: chat.row.state == "ended")
    with reading(engine) as db:
        assert is_blocked(db, site.id, visit, "")


def test_left_message_is_answered_by_mail_and_ticked_off(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    told = {"name": "Rae", "email": "rae@example.org"}
    left = visitor_opens(engine, site, visit, "Call me", is_attended=False, attributes=told)
    page = open_chats(agent)
    group = page.get_by_role("list", name="Left messages")
    expect(group.get_by_role("button", name="Rae")).to_contain_text("Call me")
    open_conversation(page, "Rae")
    expect(page.get_by_text("Left while nobody was available")).to_be_visible()
    expect(field(page)).to_be_hidden()
    answer = page.get_by_role("link", name="Answer")
    expect(answer).to_have_attribute("href", f"{MAILTO}%3E%20Call%20me%0D%0A")
    link = page.get_by_role("link", name="Visit", exact=True)
    expect(link).to_have_attribute("href", f"visitor?site=tea&visit={visit}")
    wait_for(lambda: left.row.agent_read == 1)
    expect(group.get_by_role("button", name="Rae")).to_be_visible()  # read, and not done
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("Done by Ann")).to_be_visible()
    expect(group.get_by_role("button", name="Rae")).to_have_count(0)
    page.get_by_role("button", name="Not done").click()
    expect(group.get_by_role("button", name="Rae")).to_be_visible()


MAILTO = "mailto:rae@example.org?subject=Your%20message%20to%20Tea%20shop&body=%0D%0A%0D%0A"


def test_address_of_a_chat_puts_the_cursor_into_the_answer(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Mia"})
    page = open_chats(agent, f"chats?site=tea&conversation={chat.id}")
    expect(field(page)).to_be_focused()
    page.keyboard.type("Hello Mia")
    page.keyboard.press("Enter")
    wait_for(lambda: chat.texts == ["Hello?", "Hello Mia"])


def test_row_of_the_table_opens_the_chat_with_the_cursor_in_the_answer(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    for chat in all_open_chats(engine):
        chat.ends()
    chat = visitor_opens(engine, site, visit, attributes={"name": "Ned"}, current_path="/tea")
    page = open_chats(agent, "")
    row_button = page.get_by_role("button", name="Open chat with the visitor on /tea")
    row_button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Conversation with Ned")).to_be_visible()
    expect(field(page)).to_be_focused()
    page.keyboard.type("Hello Ned")
    page.keyboard.press("Enter")
    wait_for(lambda: chat.texts == ["Hello?", "Hello Ned"])
