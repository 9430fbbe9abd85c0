"""How the page Chats looks and sounds, and how it works with a keyboard or a screen reader.

Screenshots are kept where MONITOR_TEST_ARTIFACTS says.
"""

# Fixtures are imported by their name: a test's parameter is no redefinition.
# ruff: noqa: F811

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from core.agents import find_agent
from core.chat.states import ConversationState
from core.database import reading
from tests.helpers.agent_browsers import (  # noqa: F401
    COOKIE,
    HOSTILE,
    OpenChats,
    agent,
    all_agents,
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
    seed_story,
    shown_texts,
    site,
    visit,
)
from tests.helpers.dashboard_chats import make_agent, visitor_opens
from tests.helpers.running_collector import wait_for
from tests.helpers.screens import keep_both_themes

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]


def test_draft_survives_refreshes_other_chats_and_a_reload(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    visitor_opens(engine, site, visit, attributes={"name": "Eve"})
    visitor_opens(engine, site, f"{visit}b", attributes={"name": "Fay"})
    page = open_chats(agent)
    open_conversation(page, "Eve")
    field(page).fill("I look it up for")
    facts = page.get_by_text("Now on")
    expect(facts).to_be_visible()
    page.wait_for_timeout(6_000)  # the facts next to it are drawn again every 5 s
    expect(field(page)).to_have_value("I look it up for")
    address = page.url
    open_conversation(page, "Fay")
    expect(field(page)).to_have_value("")
    open_conversation(page, "Eve")
    expect(field(page)).to_have_value("I look it up for")
    # Streamlit's server changes the address: a reload before that shows Fay.
    expect(page).to_have_url(address)
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
        open_conversation(page, name)
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
    open_conversation(page, "Gil")
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


def test_title_names_the_page_and_counts_who_waits(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    for row in all_open_chats(engine):
        row.ends()
    page = open_chats(agent, "sites")
    expect(page).to_have_title("Sites · Visitor Monitor")
    chat = visitor_opens(engine, site, visit, attributes={"name": "Jon"})
    other = visitor_opens(engine, site, f"{visit}b", attributes={"name": "Kim"})
    expect(page).to_have_title("(2) Sites · Visitor Monitor")
    expect(page.get_by_role("button", name="2 visitors wait for you")).to_be_visible()
    page.get_by_role("link", name="Visitor Monitor").click()
    expect(page).to_have_title(re.compile(r"^\(2\) [\d,]+ online · Tea shop · Visitor Monitor$"))
    other.ends()
    expect(page).to_have_title(re.compile(r"^\(1\) [\d,]+ online · Tea shop · Visitor Monitor$"))
    page.get_by_role("button", name="1 visitor waits for you").click()
    expect(page).to_have_title("(1) Chats · Visitor Monitor")
    expect(page.get_by_role("region", name="Conversation with Jon")).to_be_visible()
    expect(field(page)).to_be_focused()
    wait_for(lambda: chat.row.agent_read == 1)
    expect(page).to_have_title("(1) Chats · Visitor Monitor")  # read, and not answered
    field(page).fill("Hello Jon")
    page.keyboard.press("Enter")
    expect(page).to_have_title("Chats · Visitor Monitor")
    page.get_by_role("link", name="Open the visitor's page").click()
    expect(page).to_have_title("Jon · Visitor Monitor")


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


def test_hostile_text_is_shown_literally(open_chats: OpenChats, engine, site, agent, visit) -> None:
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
    open_conversation(page, HOSTILE)
    assert shown_texts(page) == [HOSTILE]
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


def test_right_to_left_texts_are_in_their_order(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, "יש לכם תה?", attributes={"name": "אבי (חדש)"})
    page = open_chats(agent)
    open_conversation(page, "אבי (חדש)")
    chat.agent_says(agent, "Yes!")
    texts = log(page).locator(".text")
    expect(texts).to_have_count(2)
    field(page).fill("כן, ירוק.")
    last = item(page, "אבי (חדש)").locator(".last")
    expect(last).to_have_text("Yes!")
    direction = "node => getComputedStyle(node).direction"
    shown = [node.evaluate(direction) for node in (texts.first, texts.last, field(page), last)]
    assert shown == ["rtl", "ltr", "rtl", "ltr"]
    chat.says("תודה!")
    expect(last).to_have_text("תודה!")
    assert last.evaluate(direction) == "rtl"


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
    open_conversation(page, "Oki")
    field(page).fill("にほん")
    field(page).dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    field(page).dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "bubbles": True})
    expect(field(page)).to_have_value("にほん")
    page.keyboard.press("r")  # Streamlit's own key for a new run of the page
    expect(field(page)).to_have_value("にほんr")
    assert chat.texts == ["Hello?"]


def test_name_is_asked_once_and_kept(open_chats: OpenChats, engine, dashboard) -> None:
    before = len(all_agents(engine))
    page = open_chats(None)
    page.get_by_role("textbox", name="Your name").first.fill("Zoë")
    page.get_by_role("button", name="Save name").first.click()
    expect(page.get_by_role("navigation", name="Chats")).to_be_visible()
    other = page.context.new_page()
    other.goto(dashboard)
    expect(other.locator(".agent-name")).to_have_text("Zoë")
    agents = all_agents(engine)
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
    for chat in all_open_chats(engine):
        chat.ends()
    visitor_opens(engine, site, visit, "Good morning", attributes={"name": "Wes"})
    page = open_chats(agent)
    open_conversation(page, "Wes")
    expect(page.get_by_role("region", name="Conversation with Wes")).to_match_aria_snapshot(
        """
        - region "Conversation with Wes":
          - heading "Wes" [level=2]
          - button "More"
          - button "End"
          - button "Take"
          - list "Invitation":
            - listitem: /The visitor opened this chat/
          - log "Messages":
            - list:
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


def test_sides_differ_also_in_forced_colours(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Uma"})
    visitor_opens(engine, site, f"{visit}b", attributes={"name": "Vic"})
    page = open_chats(agent)
    page.emulate_media(forced_colors="active")
    open_conversation(page, "Uma")
    chat.agent_says(agent, "Hello!")
    texts = log(page).locator(".text")
    expect(texts).to_have_count(2)
    border = "(node, side) => getComputedStyle(node)[`border${side}`]"
    kinds = [texts.nth(number).evaluate(border, "TopStyle") for number in range(2)]
    assert kinds == ["solid", "double"]
    marks = [item(page, name).evaluate(border, "LeftColor") for name in ("Uma", "Vic")]
    assert marks[0] != marks[1], "and the chosen one from the others"


def test_enlarged_four_times_it_leaves_room_to_read(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    chat = visitor_opens(engine, site, visit, attributes={"name": "Xia"})
    for number in range(6):
        chat.says(f"A message that is long enough for two lines, number {number}")
    page = open_chats(agent, width=320, height=256)
    open_conversation(page, "Xia")
    expect(log(page).locator(".text")).to_have_count(7)
    field(page).fill("five\nlines\nof\na\ndraft")
    panel = page.get_by_role("region", name="Conversation with Xia").bounding_box()
    send = page.get_by_role("button", name="Send").bounding_box()
    assert panel and send and panel["height"] <= 256
    assert send["y"] + send["height"] <= panel["y"] + panel["height"]
    assert page.locator(".log-box").evaluate("node => node.clientHeight") >= 64, "three lines"
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("width, height", [(1440, 900), (390, 844)])
def test_chats_fit_their_screen(
    open_chats: OpenChats, engine, site, visit, width: int, height: int
) -> None:
    agent = make_agent(engine, "Ann")
    seed_story(engine, site, visit, agent)
    page = open_chats(agent, width=width, height=height)
    open_conversation(page, "Grace Hopper")
    expect(page.get_by_text("Now on")).to_be_visible(visible=width > 1200)
    keep_both_themes(page, "chats", whole=False)
    page.get_by_role("tab", name="Past").click()
    expect(page.get_by_role("table", name="Past chats")).to_be_visible()
    keep_both_themes(page, "chats-past", whole=False)


@pytest.mark.parametrize("width", [1440, 1280, 1024, 768, 390])
def test_list_of_past_chats_cuts_nothing_with_and_without_a_transcript(
    open_chats: OpenChats, engine, site, agent, visit, width: int
) -> None:
    name = "Wilhelmina Featherstonehaugh"
    chat = visitor_opens(engine, site, visit, attributes={"name": name})
    chat.agent_says(make_agent(engine, "Bartholomew"), "It left yesterday, by the evening train.")
    chat.ends()
    page = open_chats(agent, "chats?site=tea&past=", width=width)
    past = page.get_by_role("table", name="Past chats")
    for choose in (False, True):
        if choose:
            past.get_by_role("link", name="It left yesterday").first.click()
            expect(page.get_by_role("button", name="Close transcript")).to_be_visible()
        if choose and width < 900:
            expect(past).to_be_hidden()  # the transcript takes the list's place
            continue
        expect(past.get_by_role("link", name="It left yesterday").first).to_be_visible()
        # The last message and, where it is narrow, names end in an ellipsis; nothing else does.
        cells = past.locator("td:not(.kind-link, [data-name=name], [data-name=agent])")
        widths = cells.evaluate_all("all => all.map(cell => cell.scrollWidth - cell.clientWidth)")
        assert max(widths) <= 1, (choose, [*zip(cells.all_inner_texts(), widths, strict=True)])
        sideways = "table => table.parentElement.scrollWidth - table.parentElement.clientWidth"
        assert past.evaluate(sideways) <= 0


def test_facts_are_beside_the_chat_where_there_is_room(
    open_chats: OpenChats, engine, site, agent, visit
) -> None:
    page = open_chat_of_uma(open_chats, engine, site, agent, visit, width=1280)
    facts = page.get_by_role("heading", name="Visitor", exact=True)
    expect(facts).to_be_visible()
    expect(page.get_by_role("switch", name="Show the visitor")).to_be_hidden()
    chat, beside = conversation(page).bounding_box(), facts.bounding_box()
    assert chat is not None and beside is not None
    assert beside["x"] > chat["x"] + chat["width"]


@pytest.mark.parametrize("width", [1024, 768, 390])
def test_facts_are_folded_away_where_there_is_no_room(
    open_chats: OpenChats, engine, site, agent, visit, width: int
) -> None:
    page = open_chat_of_uma(open_chats, engine, site, agent, visit, width=width)
    facts = page.get_by_role("heading", name="Visitor", exact=True, include_hidden=True)
    switch = page.get_by_role("switch", name="Show the visitor")
    expect(facts).to_be_attached()
    expect(facts).to_be_hidden()
    keep_both_themes(page, "chat-folded", whole=False)
    switch.focus()
    page.keyboard.press("Space")
    expect(facts).to_be_in_viewport()
    keep_both_themes(page, "chat-unfolded", whole=False)
    chat, above = conversation(page).bounding_box(), facts.bounding_box()
    assert chat is not None and above is not None
    assert above["y"] + above["height"] < chat["y"]
    page.keyboard.press("Space")
    expect(facts).to_be_hidden()


def open_chat_of_uma(
    open_chats: OpenChats, engine: Any, site: Any, agent: Any, visit: str, *, width: int
) -> Page:
    """Chats with a conversation of a visitor of whom little is known."""
    chat = visitor_opens(
        engine, site, visit, attributes={"name": "Uma"}, language="", browser="", os=""
    )
    page = open_chats(agent, f"chats?site=tea&conversation={chat.id}", width=width)
    expect(conversation(page)).to_be_visible()
    return page


def conversation(page: Page) -> Locator:
    return page.get_by_role("region", name="Conversation with Uma")
