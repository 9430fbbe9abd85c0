"""Inviting as an agent does it: `streamlit run app.py` and Chromium. The visitor is played on the
database, as the collector plays it.

Screenshots are kept where MONITOR_TEST_ARTIFACTS says.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import Engine, update
from sqlmodel import col

from core.chat.invitations import invite
from core.chat.queries import conversations_of_visit
from core.chat.rules import add_rule
from core.chat.states import TemplateKind
from core.chat.templates import add_template, list_templates
from core.database import reading, writing
from core.tables import Agent, Conversation, Site, Visit
from core.visits.presence import IN_VIEW_FOR
from pages.parts.agent import COOKIE
from tests.helpers.dashboard_chats import Chat, agent_invites, make_agent, now, secret_of
from tests.helpers.profiles import STILL
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.screens import keep_both_themes
from tests.helpers.seed import make_database, make_site, make_visit, make_visits
from tests.pages.live.test_live_in_browser import refresh_every, wait_for_refresh

HOSTILE = "![x](http://evil.example/a.png)<img src=http://evil.example/b onerror=alert(1)> $&{path}"
SOON = 8_000
"""Milliseconds within which a change is there by itself, far less than a refresh of 30 s."""

SILENT_REMOVAL = """
addEventListener("focusout", (event) => event.relatedTarget || event.stopImmediatePropagation(), true)
"""
"""Makes the browser one that does not tell when what has the focus is removed."""

pytestmark = pytest.mark.timeout(300)
OpenBrowserPage = Callable[..., Page]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_database(tmp_path_factory.mktemp("inviting"))


@pytest.fixture(scope="module")
def engine(database: Any) -> Engine:
    return database[1]


@pytest.fixture(scope="module")
def dashboard(database: Any) -> Iterator[str]:
    make_site(database[1], key="first", name="First shop")
    with running_dashboard(database[0]) as address:
        yield address


@pytest.fixture
def site(engine: Engine) -> Site:
    """A site that no other test has, with two templates."""
    site = make_site(engine, key=f"site{time.time_ns():x}", name="Tea shop")
    assert site.id is not None
    with writing(engine) as db:
        for text in ("Hello! May I help you?", "Do you have a question\nabout this tea?"):
            add_template(db, site.id, TemplateKind.INVITATION, text, now())
    return site


@pytest.fixture
def agent(engine: Engine) -> Agent:
    return make_agent(engine)


@pytest.fixture
def open_page(browser: Browser, dashboard: str, agent: Agent) -> Iterator[OpenBrowserPage]:
    """Opens a page as the agent; none may send a request to another server, nor open a dialog."""
    contexts = []
    requested: list[str] = []
    alerts: list[str] = []

    def open_page(
        path: str, *, width: int = 1440, height: int = 900, theme: str = "light", known: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,  # pyright: ignore[reportArgumentType]
            reduced_motion=STILL,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        if known:
            context.add_cookies([{"name": COOKIE, "value": secret_of(agent), "url": dashboard}])
        page = context.new_page()
        page.on("request", lambda request: requested.append(request.url))
        page.on("dialog", lambda dialog: alerts.append(dialog.message))
        page.goto(f"{dashboard}/{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    own = (dashboard, dashboard.replace("http", "ws"), "data:", "blob:")
    assert [url for url in requested if not url.startswith(own)] == []
    assert alerts == []


# ---- from the row


@pytest.mark.long
def test_visitor_is_invited_by_keyboard_alone_and_the_row_follows_at_once(
    open_page: OpenBrowserPage, engine: Engine, site: Site
) -> None:
    visitor_on(engine, site, "cart", current_path="/cart")
    visitor_on(engine, site, "home", current_path="/")
    page = open_page(f"?site={site.key}")
    row(page, "cart").get_by_role("link").focus()
    page.keyboard.press("ArrowRight")
    invite = page.get_by_role("button", name="Invite the visitor on /cart")
    expect(invite).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("on /cart")
    expect(field(page)).to_have_value("Do you have a question\nabout this tea?")
    tab_to(page, field(page))
    page.keyboard.press("Control+A")
    page.keyboard.type("May I help with the cart?")
    tab_to(page, page.get_by_role("button", name="Send", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Waiting for the visitor's browser")).to_be_visible()
    chat = chat_of(engine, site, "cart")
    assert chat.texts == ["May I help with the cart?"]
    chat.is_delivered()
    expect(page.get_by_text("The visitor's browser has the invitation.")).to_be_visible()
    chat.is_shown()
    expect(page.get_by_text("The visitor sees the invitation.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    invited = page.get_by_role("button", name="Invited, shown")
    expect(invited).to_be_focused()
    chat.is_accepted()
    expect(row(page, "cart")).to_contain_text("Chatting", timeout=SOON)
    opened = page.get_by_role("button", name="Open chat with the visitor on /cart")
    expect(opened).to_be_focused(timeout=SOON)
    expect(page.locator(".number:has(.label:text-is('Chatting')) .value")).to_contain_text("1")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/chats\?site={site.key}&conversation={chat.id}"))


@pytest.mark.long
@pytest.mark.parametrize("tells_of_removal", [True, False])
def test_dialog_has_the_focus_when_send_takes_the_form_away(
    open_page: OpenBrowserPage, engine: Engine, site: Site, tells_of_removal: bool
) -> None:
    visitor_on(engine, site, "cart", current_path="/cart")
    page = open_page("sites")
    if not tells_of_removal:
        page.add_init_script(SILENT_REMOVAL)
    page.goto(f"{page.url.removesuffix('sites')}?site={site.key}")
    page.get_by_role("button", name="Invite the visitor on /cart").click()
    dialog = page.get_by_role("dialog", name="Invite to a chat")
    tab_to(page, dialog.get_by_role("button", name="Send", exact=True))
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Waiting for the visitor's browser")
    expect(dialog).to_be_focused()
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()


@pytest.mark.long
def test_typed_text_survives_refreshes_and_is_what_is_sent(
    open_page: OpenBrowserPage, engine: Engine, site: Site
) -> None:
    visitor_on(engine, site, "cart", current_path="/cart")
    page = open_page(f"?site={site.key}")
    refresh_every(page, "2 s")
    page.get_by_role("button", name="Invite the visitor on /cart").click()
    field(page).fill("")
    for words in ("May I ", "help you ", "with anything?"):
        field(page).press_sequentially(words, delay=120)
        wait_for_refresh(page, 1)
        expect(field(page)).to_be_focused()
    expect(field(page)).to_have_value("May I help you with anything?")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Waiting for the visitor's browser")).to_be_visible()
    assert chat_of(engine, site, "cart").texts == ["May I help you with anything?"]


@pytest.mark.long
def test_button_neither_opens_the_row_nor_loses_its_focus_to_a_refresh(
    open_page: OpenBrowserPage, engine: Engine, site: Site, agent: Agent
) -> None:
    chat = agent_invites(engine, site, "cart", agent, **visit_of(current_path="/cart"))
    for number in range(6):
        visitor_on(engine, site, f"other{number}")
    page = open_page(f"?site={site.key}")
    refresh_every(page, "2 s")
    button = row(page, "cart").locator("button.action")
    button.focus()
    button.evaluate("button => { button.isTheSameNode = true }")
    wait_for_refresh(page, 1)
    expect(button).to_be_focused()
    chat.is_shown()
    expect(button).to_have_text("Invitedshown", timeout=SOON)
    expect(button).to_be_focused()
    assert button.evaluate("button => button.isTheSameNode") is True
    button.click()
    expect(page.get_by_text("The visitor sees the invitation.")).to_be_visible()
    assert "/visitor" not in page.url


@pytest.mark.long
def test_arrows_walk_from_button_to_button_and_back_to_the_rows(
    open_page: OpenBrowserPage, engine: Engine, site: Site
) -> None:
    for name in ("one", "two"):
        visitor_on(engine, site, name, current_path=f"/{name}")
    visitor_on(engine, site, "third", chat_source="third_party", chat_message_at=now())
    page = open_page(f"?site={site.key}")
    refresh_every(page, "Paused")
    expect(
        page.locator("tr[data-id]").filter(has_text="In a chat of another product")
    ).to_have_count(1)
    ids = wait_for(lambda: visits_in_order(page, 3))
    row(page, ids[0]).get_by_role("link").focus()
    for name in ids:
        stop = "a.link" if name == "third" else "button.action"
        page.keyboard.press("ArrowRight")
        expect(row(page, name).locator(stop)).to_be_focused()
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    expect(row(page, ids[-1]).get_by_role("link")).to_be_focused()
    tabbable = page.locator("tr[data-id] [tabindex='0']")
    assert tabbable.count() == 2


def test_dialog_shows_a_refusal_and_what_is_now(
    open_page: OpenBrowserPage, engine: Engine, site: Site, agent: Agent
) -> None:
    visitor_on(engine, site, "cart", current_path="/cart")
    page = open_page(f"?site={site.key}")
    page.get_by_role("button", name="Invite the visitor on /cart").click()
    expect(field(page)).to_be_visible()
    with writing(engine) as db:
        db.execute(
            update(Visit)
            .where(col(Visit.site_id) == site.id)
            .values(last_activity_at=now() - timedelta(hours=1))
        )
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Not sent. The visitor has left")
    expect(field(page)).to_have_count(0)


@pytest.mark.long
def test_newcomer_gives_a_name_in_the_dialog_and_sends(
    open_page: OpenBrowserPage, engine: Engine, site: Site
) -> None:
    visitor_on(engine, site, "cart", current_path="/cart")
    page = open_page(f"?site={site.key}", known=False)
    page.get_by_role("button", name="Invite the visitor on /cart").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Your name").fill("Bea")
    dialog.get_by_role("button", name="Save name").click()
    expect(field(page)).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(dialog).to_contain_text("Bea, ")
    chat_of(engine, site, "cart").is_shown()
    expect(page.get_by_text("The visitor sees the invitation.")).to_be_visible()


def test_accepted_invitation_leads_from_the_dialog_to_the_chat(
    open_page: OpenBrowserPage, engine: Engine, site: Site, agent: Agent
) -> None:
    chat = agent_invites(engine, site, "cart", agent, **visit_of(current_path="/cart"))
    page = open_page(f"?site={site.key}")
    page.get_by_role("button", name="Invited, waiting").click()
    expect(page.get_by_role("dialog").get_by_text("Delivered")).to_be_visible()
    chat.is_shown()
    chat.is_accepted()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The visitor has accepted.")
    expect(dialog).to_contain_text("May I help?")
    chat.says("Yes: is it <b>loose</b> tea?")
    expect(dialog).to_contain_text("Yes: is it <b>loose</b> tea?")
    expect(dialog).to_contain_text("May I help?")
    page.get_by_role("button", name="Open the chat").click()
    page.wait_for_url(re.compile(rf"/chats\?site={site.key}&conversation={chat.id}"))
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.go_back()
    expect(row(page, "cart")).to_contain_text("Open chat")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.long
@pytest.mark.parametrize("begins", ["row", "panel", "dialog"])
def test_back_from_a_chat_is_one_step_and_shows_the_same_list(
    open_page: OpenBrowserPage, engine: Engine, site: Site, agent: Agent, begins: str
) -> None:
    visitor_on(engine, site, "home", current_path="/")
    chat = agent_invites(engine, site, "cart", agent, **visit_of(current_path="/cart"))
    chat.is_shown()
    opened = "&visitor=cart" if begins == "panel" else ""
    page = open_page(f"?site={site.key}{opened}&q=cart&sort=-page_count")
    expect(page.get_by_role("searchbox")).to_have_value("cart")
    if begins == "dialog":
        page.get_by_role("button", name="Invited, shown").click()
        expect(page.get_by_role("dialog")).to_contain_text("The visitor sees the invitation.")
    chat.is_accepted()
    button = {
        "row": page.get_by_role("button", name="Open chat with the visitor on /cart"),
        "panel": page.get_by_role("button", name="Open chat", exact=True).last,
        "dialog": page.get_by_role("button", name="Open the chat"),
    }[begins]
    expect(button).to_be_visible()
    listed, steps = page.url, page.evaluate("history.length")
    button.click()
    page.wait_for_url(re.compile(rf"/chats\?site={site.key}&conversation={chat.id}$"))
    expect(page.get_by_role("log")).to_be_visible()
    assert page.evaluate("history.length") == steps + 1
    page.reload()  # a session that does not know where the agent was
    expect(page.get_by_role("log")).to_be_visible()
    page.go_back()
    expect(row(page, "cart")).to_contain_text("Open chat")
    expect(page.get_by_role("table", name="Active visitors").locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_have_value("cart")
    assert page.url == listed
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.long
def test_dismissed_invitation_gives_the_form_back(
    open_page: OpenBrowserPage, engine: Engine, site: Site, agent: Agent
) -> None:
    chat = agent_invites(engine, site, "cart", agent, **visit_of(current_path="/cart"))
    chat.is_shown()
    page = open_page(f"?site={site.key}")
    page.get_by_role("button", name="Invited, shown").click()
    expect(page.get_by_text("The visitor sees the invitation.")).to_be_visible()
    chat.is_dismissed()
    expect(page.get_by_text("The visitor has dismissed the invitation.")).to_be_visible()
    expect(field(page)).to_have_value("Do you have a question\nabout this tea?")


def test_hostile_words_are_shown_as_they_stand(
    open_page: OpenBrowserPage, engine: Engine, site: Site
) -> None:
    visitor_on(engine, site, "hostile", current_path=f"/{HOSTILE}", attributes={"name": HOSTILE})
    page = open_page(f"?site={site.key}")
    page.get_by_role("button", name=f"Invite the visitor on /{HOSTILE}", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text(f"{HOSTILE}, on /{HOSTILE}")
    field(page).fill(HOSTILE)
    page.get_by_role("button", name="Save as template").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(field(page)).to_have_value(HOSTILE)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("dialog").locator("blockquote")).to_have_text(HOSTILE)
    assert chat_of(engine, site, "hostile").texts == [HOSTILE]
    assert page.locator("img[src*=evil]").count() == 0
    assert site.id is not None
    with reading(engine) as db:
        [newest, *_] = list_templates(db, site.id, TemplateKind.INVITATION)
    assert newest.text == HOSTILE


def test_phone_has_the_button_in_the_card_and_the_dialog_fits(
    open_page: OpenBrowserPage, engine: Engine, site: Site
) -> None:
    visitor_on(engine, site, "cart", current_path="/cart")
    page = open_page(f"?site={site.key}", width=390, height=844)
    page.get_by_role("button", name="Invite the visitor on /cart").click()
    box = page.get_by_role("dialog").bounding_box()
    assert box is not None
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Waiting for the visitor's browser")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


# ---- from the visitor's page


def test_visitor_is_invited_and_talked_to_on_their_page(
    open_page: OpenBrowserPage, engine: Engine, site: Site
) -> None:
    visitor_on(engine, site, "cart", current_path="/cart")
    page = open_page(f"visitor?site={site.key}&visit=cart")
    expect(page.get_by_text("Browsing: the page is in view")).to_be_visible()
    field(page).fill("May I help?")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Waiting for the visitor's browser")).to_be_visible()
    chat = chat_of(engine, site, "cart")
    chat.is_shown()
    expect(page.get_by_text("The visitor sees the invitation.")).to_be_visible()
    chat.is_accepted()
    log = page.get_by_role("log")
    expect(log).to_contain_text("May I help?", timeout=SOON)
    expect(page.get_by_text("Chatting: the page is in view")).to_be_visible(timeout=SOON)
    chat.says("Yes, please!")
    expect(log).to_contain_text("Yes, please!", timeout=SOON)
    page.get_by_role("textbox", name=re.compile("message", re.IGNORECASE)).fill("Gladly.")
    page.keyboard.press("Enter")
    wait_for(lambda: chat.texts == ["May I help?", "Yes, please!", "Gladly."])
    chat.ends()
    past = page.get_by_text("Ended by the visitor · 3 messages")
    expect(past).to_be_visible(timeout=SOON)
    past.click()
    expect(page.get_by_role("list", name="Messages")).to_contain_text("Gladly.")
    expect(field(page)).to_be_visible()


@pytest.mark.long
def test_typed_text_on_the_visitor_s_page_survives_refreshes(
    open_page: OpenBrowserPage, engine: Engine, site: Site
) -> None:
    visitor_on(engine, site, "cart", current_path="/cart")
    page = open_page(f"visitor?site={site.key}&visit=cart")
    activity = page.get_by_test_id("stMetric").filter(has_text="Time on Site")
    field(page).fill("")
    field(page).press_sequentially("May I help you", delay=60)
    before = activity.inner_text()
    expect(activity).not_to_have_text(before, timeout=15_000, use_inner_text=True)
    field(page).press_sequentially(" with anything?", delay=60)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Waiting for the visitor's browser")).to_be_visible()
    assert chat_of(engine, site, "cart").texts == ["May I help you with anything?"]


# ---- the site


@pytest.mark.long
def test_text_that_is_added_leaves_an_empty_field(
    open_page: OpenBrowserPage, engine: Engine, site: Site
) -> None:
    page = open_page(f"sites?site={site.key}", height=1800)
    new = page.get_by_role("textbox", name="New template for invitations")
    new.fill("Good day!")
    page.get_by_role("button", name="Add template").first.click()
    expect(page.get_by_text("The template is added.")).to_be_visible()
    expect(new).to_have_value("")
    expect(page.get_by_text("Good day!", exact=True)).to_be_visible()


@pytest.mark.long
@pytest.mark.parametrize("width, height", [(1440, 1000), (390, 844)])
def test_pages_of_the_chat_fit_their_screen(
    open_page: OpenBrowserPage, engine: Engine, site: Site, agent: Agent, width: int, height: int
) -> None:
    fill(engine, site, agent)
    page = open_page(f"?site={site.key}", width=width, height=height)
    expect(page.get_by_role("button", name="Open chat")).to_be_visible()
    keep_both_themes(page, "invite-table")
    page.get_by_role("button", name="Invite the visitor on /checkout/thank-you").first.click()
    expect(field(page)).to_be_visible()
    keep_both_themes(page, "invite-dialog", whole=False)
    for path, landmark in {
        f"visitor?site={site.key}&visit=shown": "The visitor sees the invitation.",
        f"visitor?site={site.key}&visit=open": "Chats of this visit",
        f"sites?site={site.key}": "At most 20 a day",
    }.items():
        page = open_page(path, width=width, height=height)
        expect(page.get_by_text(landmark).first).to_be_visible()
        name = path.rpartition("=")[2] if "visit=" in path else "sites"
        keep_both_themes(page, f"invite-{name}")


def fill(engine: Engine, site: Site, agent: Agent) -> None:
    """A site where everything can be seen."""
    assert site.id is not None
    make_visits(engine, site, 14, now=now())
    visitor_on(engine, site, "paid", current_path="/checkout/thank-you", page_context="Purchased")
    before = agent_invites(engine, site, "open", agent, **visit_of(attributes={"name": "Cleo"}))
    before.is_shown()
    before.is_dismissed()
    with writing(engine) as db:
        add_rule(
            db,
            site.id,
            now(),
            trigger="seconds",
            threshold=45,
            page_context="Cart",
            text="Hello! May I help you with your order?",
            daily_cap=20,
            quiet_from=22 * 60,
            quiet_until=8 * 60,
            is_enabled=True,
        )
        add_rule(db, site.id, now(), trigger="exit", text="One moment! May I help you?")
    again = Chat(engine, site, invite_again(engine, site, "open", agent))
    again.is_accepted()
    again.says("Yes, please: which tea is the mildest?")
    agent_invites(engine, site, "queued", agent, **visit_of())
    agent_invites(engine, site, "delivered", agent, **visit_of()).is_delivered()
    agent_invites(engine, site, "shown", agent, **visit_of()).is_shown()


def invite_again(engine: Engine, site: Site, visit_id: str, agent: Agent) -> str:
    assert site.id is not None and agent.id is not None
    with writing(engine) as db:
        invited = invite(
            db, site_id=site.id, visit_id=visit_id, agent_id=agent.id, text="Hello!", now=now()
        )
    assert isinstance(invited, Conversation)
    return invited.id


def visit_of(**columns: object) -> dict[str, Any]:
    """The columns of a visit that stays in view for the whole test."""
    return {"in_view_until": now() + 10 * IN_VIEW_FOR, **columns}


def visitor_on(engine: Engine, site: Site, visit_id: str, **columns: object) -> None:
    make_visit(engine, site, visit_id, now=now(), **visit_of(**columns))


def row(page: Page, visit_id: str) -> Locator:
    return page.get_by_role("table", name="Active visitors").locator(f"tr[data-id={visit_id}]")


def visits_in_order(page: Page, count: int) -> list[str]:
    """The ids of the rows from top to bottom, once there are that many; the table may draw again."""
    rows = page.get_by_role("table", name="Active visitors").locator("tbody tr")
    ids = rows.evaluate_all("rows => rows.map(row => row.dataset.id)")
    return ids if len(ids) == count else []


def field(page: Page) -> Locator:
    """The text of the invitation."""
    return page.get_by_role("textbox", name="Invitation", exact=True)


def tab_to(page: Page, wanted: Locator) -> None:
    """Press the tab key until it is there."""
    for _ in range(12):
        if wanted.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    expect(wanted).to_be_focused()


def chat_of(engine: Engine, site: Site, visit_id: str) -> Chat:
    """The visit's newest conversation."""
    assert site.id is not None
    with reading(engine) as db:
        found = conversations_of_visit(db, site.id, visit_id)
    return Chat(engine, site, found[0].id)
