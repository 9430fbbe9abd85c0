"""The visitor who is open beside the list, in a real browser.

Screenshots are kept where MONITOR_TEST_ARTIFACTS says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect
from sqlalchemy import Engine, delete, update
from sqlmodel import col
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from core.database import writing
from core.tables import Site, Visit
from pages.parts.collector_notice import LOOK_EVERY
from tests.helpers.profiles import STILL
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.screens import keep_both_themes
from tests.helpers.seed import make_database, make_site, make_visit, make_visits

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

WIDTHS = [1440, 1024, 390]
Open = Callable[..., Page]


class Wire:
    """What goes between a page and Streamlit; a test may keep it back, or say something itself."""

    def __init__(self) -> None:
        self.asked: list[ClientState] = []
        self.timers: dict[float, str] = {}
        self.say_with: Callable[[ClientState], BackMsg | None] = lambda _asked: None
        self.is_held_from: Callable[[ForwardMsg], bool] = lambda _told: False
        self.held: list[bytes] = []

    def connect(self, page: WebSocketRoute) -> None:
        self.page, self.server = page, page.connect_to_server()
        page.on_message(self._ask)
        self.server.on_message(self._tell)

    def release(self) -> None:
        self.is_held_from = lambda _told: False
        for message in self.held:
            self.page.send(message)
        self.held.clear()

    def _ask(self, message: str | bytes) -> None:
        assert isinstance(message, bytes)
        self.server.send(message)
        asked = BackMsg.FromString(message).rerun_script
        self.asked.append(asked)
        also = self.say_with(asked)
        if also:
            self.server.send(also.SerializeToString())

    def _tell(self, message: str | bytes) -> None:
        assert isinstance(message, bytes)
        told = ForwardMsg.FromString(message)
        if told.WhichOneof("type") == "auto_rerun":
            self.timers[told.auto_rerun.interval] = told.auto_rerun.fragment_id
        if self.held or self.is_held_from(told):
            self.held.append(message)
        else:
            self.page.send(message)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    _, engine = make_database(tmp_path_factory.mktemp("opened"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def site(engine: Engine) -> Site:
    """Forty visitors, and five of another site."""
    now = datetime.now(UTC)
    make_visits(engine, make_site(engine, key="pots", name="Pot shop"), 5, now=now)
    site = make_site(engine, key="tea")
    make_visits(engine, site, 40, now=now)
    make_visit(
        engine,
        site,
        "anna",
        now=now,
        attributes={"name": "Anna Berg"},
        current_path="/checkout/shipping",
        page_context="In Checkout",
        cart_value=120.5,
        cart_currency="EUR",
    )
    return site


@pytest.fixture(scope="module")
def dashboard(engine: Engine, site: Site) -> Iterator[str]:
    with running_dashboard(engine.url.render_as_string(hide_password=False)) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser, dashboard: str) -> Iterator[Open]:
    contexts = []

    def open_page(query: str, width: int = 1440, wire: Wire | None = None) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, reduced_motion=STILL
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        if wire:
            page.route_web_socket("**/_stcore/stream", wire.connect)
        page.goto(f"{dashboard}/{query}")
        expect(rows(page).first).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()


def rows(page: Page) -> Locator:
    return page.get_by_role("table", name="Active visitors").locator("tbody tr")


def row(page: Page, visit: str) -> Locator:
    return rows(page).and_(page.locator(f"[data-id='{visit}']"))


def panel(page: Page) -> Locator:
    return page.get_by_role("region", name="Visitor", exact=True)


def query(page: Page) -> str:
    return page.evaluate("location.search")


def has_focus(row: Locator) -> bool:
    return row.evaluate("row => row.contains(row.getRootNode().activeElement)")


@pytest.mark.parametrize("width", WIDTHS)
def test_panel_says_who_it_is_and_fits_its_screen(open_page: Open, width: int) -> None:
    page = open_page("?site=tea", width)
    row(page, "anna").locator("td[data-name=path]").click()
    expect(panel(page)).to_contain_text("Anna Berg")
    for fact in ("Now on /checkout/shipping", "In Checkout", "€120.50", "Pages, newest first"):
        expect(panel(page)).to_contain_text(fact)
    expect(panel(page).get_by_role("button", name="Invite")).to_be_visible()
    assert query(page) == "?site=tea&visitor=anna"
    box, table = panel(page).bounding_box(), page.locator(".list .scroll").first.bounding_box()
    assert box and table
    assert round(box["x"] + box["width"]) == width
    assert (table["x"] + table["width"] <= box["x"]) is (width > 1024)
    assert (box["width"] == width) is (width == 390)
    assert page.evaluate("document.scrollingElement.scrollWidth") == width
    keep_both_themes(page, "opened-visitor")


@pytest.mark.parametrize("closes", ["Escape", "the button", "Back"])
def test_closing_gives_the_focus_back_to_the_row(open_page: Open, closes: str) -> None:
    page = open_page("?site=tea")
    row(page, "anna").get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(panel(page)).to_be_focused()
    if closes == "Escape":
        page.keyboard.press("Escape")
    elif closes == "the button":
        panel(page).get_by_role("button", name="Close").click()
    else:
        page.go_back()
    expect(panel(page)).to_have_count(0)
    wait_for(lambda: has_focus(row(page, "anna")))
    assert query(page) == "?site=tea"


def test_closing_holds_when_another_part_is_drawn_right_after(open_page: Open) -> None:
    wire = Wire()
    page = open_page("?site=tea&visitor=nobody", wire=wire)
    expect(panel(page)).to_contain_text("not known any more")

    def look_for_collectors_too(asked: ClientState) -> BackMsg | None:
        if not any(state.json_trigger_value for state in asked.widget_states.widgets):
            return None
        also = BackMsg()
        also.rerun_script.CopyFrom(asked)
        also.rerun_script.fragment_id = wire.timers[LOOK_EVERY]
        also.rerun_script.is_auto_rerun = True
        also.rerun_script.ClearField("widget_states")
        return also

    wire.say_with = look_for_collectors_too
    panel(page).get_by_role("button", name="Close").click()
    expect(panel(page)).to_have_count(0)
    assert query(page) == "?site=tea"


def test_back_before_the_browser_knows_the_new_address_leaves_no_wrong_one(
    open_page: Open,
) -> None:
    wire = Wire()
    page = open_page("?site=tea&sort=path", wire=wire)
    first, second = rows(page).evaluate_all("rows => rows.map(row => row.dataset.id)")[:2]
    row(page, first).locator("td[data-name=path]").click()
    wait_for(lambda: query(page).endswith(f"visitor={first}"))
    expect(panel(page)).to_be_focused()
    wire.is_held_from = lambda told: told.page_info_changed.query_string.endswith(second)
    row(page, second).locator("td[data-name=path]").click()
    # Asking the page for something lets what goes over the wire be seen.
    wait_for(lambda: page.evaluate("true") and wire.held)
    page.evaluate("history.back()")
    wait_for(lambda: page.evaluate("true") and wire.asked[-1].is_history_navigation)
    wire.release()
    expect(panel(page)).to_have_count(0)
    wait_for(lambda: query(page) == "?site=tea&sort=path")


def test_list_stays_as_it_was(open_page: Open) -> None:
    page = open_page("?site=tea&sort=path", 1920)
    scroll = page.locator(".list .scroll").first
    scroll.evaluate("box => { box.scrollTop = 120; box.isTheSame = true }")
    ids = rows(page).evaluate_all("rows => rows.map(row => row.dataset.id)")
    row(page, ids[8]).locator("td[data-name=path]").click()
    expect(panel(page)).to_be_visible()
    assert scroll.evaluate("box => [box.scrollTop, box.isTheSame]") == [120, True]
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_count(0)
    assert scroll.evaluate("box => [box.scrollTop, box.isTheSame]") == [120, True]


def test_another_row_changes_the_panel(open_page: Open) -> None:
    page = open_page("?site=tea&sort=path")
    ids = rows(page).evaluate_all("rows => rows.map(row => row.dataset.id)")
    row(page, ids[19]).locator("td[data-name=path]").click()
    expect(panel(page)).to_be_visible()
    # The rows have become cards, which are higher.
    expect(row(page, ids[19])).to_be_in_viewport()
    row(page, ids[19]).get_by_role("link").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_for(lambda: query(page).endswith(f"visitor={ids[20]}"))
    expect(page.locator("tr[aria-current]")).to_have_attribute("data-id", ids[20])
    expect(panel(page)).to_be_focused()
    page.go_back()
    expect(page.locator("tr[aria-current]")).to_have_attribute("data-id", ids[19])
    assert rows(page).evaluate_all("rows => rows.map(row => row.dataset.id)") == ids


def test_reload_and_a_link_open_the_panel_without_taking_the_focus(open_page: Open) -> None:
    page = open_page("?site=tea&visitor=anna&q=checkout")
    expect(panel(page)).to_contain_text("Anna Berg")
    page.reload()
    expect(panel(page)).to_contain_text("Anna Berg")
    expect(page.locator("tr[aria-current]")).to_have_attribute("data-id", "anna")
    assert page.evaluate("document.activeElement === document.body")
    page.get_by_role("link", name="Open the visitor's page").click()
    expect(page.get_by_text("Pages in order").first).to_be_visible()
    page.go_back()
    expect(panel(page)).to_contain_text("Anna Berg")
    expect(page.get_by_role("searchbox")).to_have_value("checkout")


def test_panel_follows_the_visitor(open_page: Open, engine: Engine, site: Site) -> None:
    now = datetime.now(UTC)
    make_visit(engine, site, "bob", now=now, attributes={"name": "Bob"}, current_path="/one")
    # Not among the rows: the page would scroll to his, and a click on the choice back up, and scrolling
    # closes an open menu.
    page = open_page("?site=tea&q=checkout&visitor=bob")
    page.get_by_role("combobox", name="Refresh").click()
    page.get_by_role("option", name="2 s", exact=True).click()
    expect(panel(page)).to_contain_text("Now on /one")
    change(engine, site, "bob", current_path="/two")
    expect(panel(page)).to_contain_text("Now on /two")
    change(engine, site, "bob", last_activity_at=now - timedelta(hours=1))
    expect(panel(page)).to_contain_text("This visit is over.")
    expect(panel(page).get_by_role("button", name="Invite")).to_have_count(0)
    with writing(engine) as db:
        db.execute(delete(Visit).where(col(Visit.site_id) == site.id, col(Visit.id) == "bob"))
    expect(panel(page)).to_contain_text("This visitor is not known any more")
    panel(page).get_by_role("button", name="Close").click()
    expect(panel(page)).to_have_count(0)


@pytest.mark.parametrize("visitor", ["nobody", "pots+anna", "%3Cscript%3E", "tea+anna"])
def test_unknown_visitor_is_said_in_plain_words(open_page: Open, visitor: str) -> None:
    page = open_page(f"?site=tea&visitor={visitor}")
    found = visitor == "tea+anna"
    expect(panel(page)).to_contain_text("Anna Berg" if found else "not known any more")
    panel(page).get_by_role("button", name="Close").click()
    expect(panel(page)).to_have_count(0)


def test_visitor_of_all_sites_is_the_one_of_the_own_site(open_page: Open) -> None:
    page = open_page("?site=~all")
    theirs = row(page, "pots visit00000000001")
    path = theirs.locator("td[data-name=path]").inner_text()
    theirs.locator("td[data-name=path]").click()
    expect(panel(page)).to_contain_text(f"Now on {path}")
    expect(panel(page).get_by_role("link", name="Open the visitor's page")).to_have_attribute(
        "href", "visitor?site=pots&visit=visit00000000001"
    )
    wait_for(lambda: query(page) == "?site=~all&visitor=pots+visit00000000001")
    page.reload()
    expect(panel(page)).to_contain_text(f"Now on {path}")


def test_escape_in_a_field_or_a_dialog_leaves_the_panel_open(open_page: Open) -> None:
    page = open_page("?site=tea&visitor=anna")
    expect(panel(page)).to_be_visible()
    page.get_by_role("searchbox").fill("x")
    page.keyboard.press("Escape")
    panel(page).get_by_role("button", name="Invite").click()
    expect(page.get_by_role("dialog")).to_contain_text("Anna Berg")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(panel(page)).to_contain_text("Anna Berg")


def change(engine: Engine, site: Site, visit: str, **values: object) -> None:
    with writing(engine) as db:
        db.execute(
            update(Visit)
            .where(col(Visit.site_id) == site.id, col(Visit.id) == visit)
            .values(**values)
        )
