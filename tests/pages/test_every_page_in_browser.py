"""What holds on every page, in each of its states: axe finds nothing serious, the console is silent,
nothing is cut off at the side, and nothing of Streamlit's own shows.

Each state is opened once at each width, and looked at in both themes.
"""

# Fixtures are imported by their name: a test's parameter is no redefinition.
# ruff: noqa: F811

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from sqlalchemy import text

from core.database import reading, writing
from core.sites import change_site
from core.tables import Agent
from tests.helpers.agent_browsers import (  # noqa: F401
    COOKIE,
    dashboard,
    database,
    engine,
    seed_story,
    site,
)
from tests.helpers.axe import assert_axe_finds_nothing_serious
from tests.helpers.dashboard_chats import agent_invites, make_agent, secret_of, visitor_opens
from tests.helpers.profiles import STILL
from tests.helpers.seed import make_site, make_visit, make_visits

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]
WIDTHS = (1440, 390)


@dataclass(frozen=True)
class State:
    """A page in one of its states: its address, the text by which it is known, and how to get there."""

    name: str
    path: str
    landmark: str
    act: Callable[[Page], None] = field(default=lambda page: None)
    is_known: bool = True  # whether the agent has given a name


def press(role: Any, name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role(role, name=name).first.click()


def add_site(page: Page) -> None:
    opens = page.get_by_role("button", name="Expand sidebar")
    if opens.is_visible():
        opens.click()
    page.get_by_role("button", name="Add a site").first.click()


def search(page: Page) -> None:
    page.get_by_role("searchbox").first.fill("nobody has this")


def forget(page: Page) -> None:
    page.get_by_role("button", name="Forget this visitor").click()
    page.get_by_role("button", name="Forget for good").click()


STATES = (
    State("live", "?site=many", "Online Now"),
    State("live, all sites", "?site=~all", "Online Now"),
    State("live, data", "?site=many", "Download CSV", press("tab", "Data")),
    State("live, data of a chart", "?site=many", "Download CSV", press("button", "Show the data")),
    State("live, no match", "?site=many", "No visitor matches", search),
    State("live, no visitor", "?site=demo", "Open the demo shop"),
    State("live, tracking off", "?site=off", "Tracking is off"),
    State("live, no name", "?site=many", "Set your name", is_known=False),
    State("invitation", "?site=many", "Send", press("button", "Invite the visitor")),
    State("invitation, shown", "?site=tea", "expires at", press("button", "Invited, shown")),
    State("visitor in a chat", "visitor?site=tea&visit=storyg", "Pages in order"),
    State("visitor unknown", "visitor?site=tea&visit=plain", "Pages in order"),
    State("visitor with past chat", "visitor?site=tea&visit=asked", "Chats of this visit"),
    State(
        "visitor to forget",
        "visitor?site=tea&visit=asked",
        "Nothing brings them back",
        press("button", "Forget this visitor"),
    ),
    State("visitor forgotten", "visitor?site=tea&visit=gone{width}", "Deleted:", forget),
    State("visit of nobody", "visitor?site=tea&visit=none", "No such visit"),
    State("chats", "chats", "Choose a chat"),
    State("chat", "chats?site=tea&conversation={storyg}", "That sounds right"),
    State("chat, invited", "chats?site=tea&conversation={ina}", "as soon as the visitor accepts"),
    State("chats, no name", "chats", "Who are you?", is_known=False),
    State("past chats", "chats?site=tea&past=", "Download CSV"),
    State("past chat", "chats?site=tea&past={asked}", "Download text"),
    State("trends", "trends?site=many&range=today", "Hours of the Week"),
    State("trends, narrowed", "trends?site=many&range=today&source=Google", "Source: Google"),
    State("trends, no visit", "trends?site=demo", "No visit began"),
    State("trends, no match", "trends?site=many&source=Nowhere", "No visit fits"),
    State("funnel", "trends?site=many&range=today&part=funnel", "From step to step"),
    State(
        "funnel to change",
        "trends?site=many&part=funnel",
        "Move step 1 up",
        lambda page: page.get_by_text("Change the steps").first.click(),
    ),
    State("chats and purchases", "trends?site=many&range=today&part=chats", "no experiment"),
    State("site to add", "sites?site=tea", "Website address", add_site),
    State(
        "site to delete",
        "sites?site=tea",
        "Write the site's name",
        press("button", "Delete this site"),
    ),
    State("first account", "accounts", "Nobody has to sign in yet"),
    State("no own account", "account", "nobody has an account"),
    State("health", "health", "Oldest reader"),
    State("sites", "sites?site=tea", "Own context rules"),
)


@pytest.fixture(scope="module")
def agent(engine: Any, site: Any) -> Agent:
    """The agent, with chats in every state, and other sites."""
    now = datetime.now(UTC)
    make_site(engine, key="demo", name="Demo shop")
    make_visits(engine, make_site(engine, key="many", name="Many shop"), 50, now=now)
    make_site(engine, key="off", name="Closed shop")
    with writing(engine) as db:
        change_site(db, "off", tracking_enabled=False)
    agent = make_agent(engine)
    seed_story(engine, site, "story", agent)
    invited = agent_invites(engine, site, "ina", agent, attributes={"name": "Ina"})
    invited.is_delivered()
    invited.is_shown()
    unknown = dict.fromkeys(("browser", "os", "device", "country", "language", "time_zone"), "")
    make_visit(engine, site, "plain", now=now, attributes={}, **unknown)
    for width in WIDTHS:
        make_visit(engine, site, f"gone{width}", now=now)
    asked = visitor_opens(engine, site, "asked", "Where is my order?", attributes={"name": "Otto"})
    asked.agent_says(agent, "It left yesterday.")
    asked.ends()
    return agent


@pytest.fixture
def open_state(
    browser: Browser, dashboard: str, engine: Any, agent: Agent
) -> Iterator[Callable[[State, int], Page]]:
    """Opens a state; whatever the browser warned of until the end fails the test."""
    contexts = []
    warnings: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # Streamlit looks for its server below the page's address first.
        is_search = "/_stcore/" in message.location["url"]
        # Vega says so of each scale until Streamlit hands it the chart's first frame.
        is_without_frame = message.text.startswith("WARN Infinite extent")
        # Streamlit allows its frames more than this browser knows, and as much as the page: what is in them is ours.
        is_of_frame = message.text.startswith(("Unrecognized feature:", "An iframe which has both"))
        is_known = is_search or is_without_frame or is_of_frame
        if message.type in ("warning", "error") and not is_known:
            warnings.append(message.text)

    def open_state(state: State, width: int) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion=STILL
        )
        contexts.append(context)
        context.on("console", listen)
        context.on("weberror", lambda error: warnings.append(str(error.error)))
        if state.is_known:
            context.add_cookies([{"name": COOKIE, "value": secret_of(agent), "url": dashboard}])
        with reading(engine) as db:
            rows = db.execute(text("SELECT visit_id, id FROM conversation"))
            ids = {row.visit_id: row.id for row in rows}
        page = context.new_page()
        page.goto(f"{dashboard}/{state.path.format(**ids, width=width)}")
        expect(page.get_by_test_id("stMainBlockContainer").locator("h1")).to_be_visible()
        state.act(page)
        shown = page.get_by_text(state.landmark).locator("visible=true")
        expect(shown.first).to_be_visible()
        return page

    yield open_state
    for context in contexts:
        context.close()
    assert warnings == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_axe_finds_nothing_serious(open_state, state: State, width: int) -> None:
    assert_axe_finds_nothing_serious(open_state(state, width), f"state {state.name}")


RING = """() => {
  let node = document.activeElement
  while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
  const at = node
  for (let left = 4; node instanceof Element && left; node = node.parentElement, left -= 1) {
    const { outlineStyle, outlineWidth } = getComputedStyle(node)
    if (outlineStyle !== "none" && outlineStyle !== "auto" && parseFloat(outlineWidth) >= 2) return ""
  }
  return at === document.body ? "" : at.outerHTML.slice(0, 120)
}"""


@pytest.mark.parametrize(
    "name",
    [
        "live",
        "visitor with past chat",
        "chat",
        "past chats",
        "sites",
        "site to add",
        "first account",
    ],
)
def test_focus_is_seen_wherever_tab_leads(open_state, name: str) -> None:
    page = open_state(next(state for state in STATES if state.name == name), 1440)
    without: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        without.append(page.evaluate(RING))
    assert [each for each in without if each] == []


def test_nothing_of_streamlit_shows(open_state) -> None:
    page = open_state(STATES[0], 1440)
    expect(page.get_by_text("Deploy")).to_have_count(0)
    page.get_by_role("button", name="Main menu").click()
    menu = page.get_by_test_id("stMainMenuPopover")
    expect(menu.get_by_role("menuitemradio", name="Dark")).to_be_visible()
    assert menu.inner_text().split("\n")[-1] == "Print"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Rename").first.click()
    page.get_by_role("textbox", name="Your name").fill("Anna")
    expect(page.get_by_text("Press Enter")).to_be_hidden()


@pytest.mark.parametrize("width", [1440, 390])
def test_name_stands_beside_the_mark(open_state, width: int) -> None:
    for state in (STATES[0], STATES[-1]):
        page = open_state(state, width)
        mark = page.get_by_test_id("stSidebarLogo" if width == 1440 else "stHeaderLogo")
        expect(mark).to_be_visible()
        name = mark.evaluate("mark => getComputedStyle(mark.parentElement, '::after').content")
        assert name == '"Visitor Monitor"'
        menu = page.get_by_role("button", name="Main menu").bounding_box()
        assert menu is not None and menu["x"] + menu["width"] <= width
