"""Rows keep their places while somebody is about to use one, and what has changed is marked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import Engine, update
from sqlmodel import col

from core.database import writing
from core.tables import Site, Visit
from tests.helpers.live_page import ids, refresh_every, rows, wait_for_refresh
from tests.helpers.running_collector import wait_for
from tests.helpers.seed import make_site, make_visit, make_visits
from tests.pages.live.conftest import OpenSite
from tests.pages.live.test_columns import contrast
from tests.pages.live.test_layout_in_browser import as_hex

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

_numbers = count(1)
MARKED = "tr.changed, td.changed"


class LivelySite:
    """A site of its own with four visitors, the first one the freshest, and `more` after them."""

    def __init__(self, engine: Engine, key: str, more: int = 0) -> None:
        self.engine = engine
        self.site: Site = make_site(engine, key=key, name=f"{key} shop")
        self.key = key
        self.size = 4 + more
        for number in range(4):
            self.come(f"visit{number}", ago=30 + number)
        make_visits(engine, self.site, more, now=datetime.now(UTC))

    def come(self, visit: str, *, ago: float = 0, **values: object) -> None:
        """Somebody opens a page that many seconds ago."""
        now = datetime.now(UTC)
        active = now - timedelta(seconds=ago)
        shown = {"last_activity_at": active, "current_path": "/", **values}
        make_visit(self.engine, self.site, visit, now=now, **shown)

    def change(self, visit: str, **values: object) -> None:
        """The row in the database is another one now."""
        with writing(self.engine) as db:
            of_visit = (col(Visit.site_id) == self.site.id, col(Visit.id) == visit)
            db.execute(update(Visit).where(*of_visit).values(**values))

    def leave(self, visit: str) -> None:
        """The visit has ended."""
        self.change(visit, last_activity_at=datetime.now(UTC) - timedelta(hours=1))


@pytest.fixture
def open_shop(
    live_database: tuple[str, Engine], open_site: OpenSite
) -> Callable[..., tuple[Page, LivelySite]]:
    """Opens a page of the test's own site, drawn anew every 2 s."""

    def open_shop(more: int = 0, **screen: int) -> tuple[Page, LivelySite]:
        shop = LivelySite(live_database[1], f"shop{next(_numbers)}", more)
        page = open_site(shop.key, **screen)
        expect(rows(page)).to_have_count(min(shop.size, 100))
        refresh_every(page, "2 s")
        return page, shop

    return open_shop


def test_rows_keep_their_places_under_the_pointer(open_shop) -> None:
    page, shop = open_shop()
    before = ids(page)
    assert before == ["visit0", "visit1", "visit2", "visit3"]
    rows(page).nth(1).hover()
    shop.change("visit3", current_path="/cart", page_context="Cart")
    shop.come("newcomer")
    shop.leave("visit2")
    expect(rows(page).nth(3).locator("[data-name=path]")).to_have_text("/cart")
    expect(page.get_by_role("button", name="1 new visitor: show")).to_be_visible()
    expect(page.locator("tr.left")).to_have_attribute("data-id", "visit2")
    assert ids(page) == before
    page.mouse.move(0, 0)
    wait_for(lambda: ids(page) == ["visit3", "newcomer", "visit0", "visit1"])
    expect(page.get_by_role("button", name="new visitor")).to_be_hidden()
    expect(page.locator("tr.left")).to_have_count(0)


def test_rows_keep_their_places_under_the_focus_until_the_news_are_asked_for(open_shop) -> None:
    page, shop = open_shop()
    before = ids(page)
    rows(page).nth(2).get_by_role("link").focus()
    shop.come("newcomer")
    news = page.get_by_role("button", name="1 new visitor: show")
    expect(news).to_be_visible()
    assert ids(page) == before
    news.focus()
    wait_for_refresh(page)
    assert ids(page) == before
    page.keyboard.press("Enter")
    assert ids(page)[0] == "newcomer"
    expect(page.locator("tr[data-id=newcomer] a")).to_be_focused()


def test_focus_that_rests_for_a_minute_holds_the_rows_no_longer(open_shop) -> None:
    page, shop = open_shop()
    link = rows(page).nth(2).get_by_role("link")
    link.focus()
    visit = ids(page)[2]
    shop.come("newcomer", ago=5)
    expect(page.get_by_role("button", name="1 new visitor: show")).to_be_visible()
    let_a_minute_pass(page)
    wait_for(lambda: ids(page)[0] == "newcomer")
    expect(page.locator(f"tr[data-id={visit}] a")).to_be_focused()
    shop.come("another")
    wait_for(lambda: ids(page)[0] == "another")


def test_row_that_is_on_another_page_now_can_still_be_used(open_shop) -> None:
    page, shop = open_shop(more=110)
    visit = "visit1"
    rows(page).nth(5).hover()
    shop.change(visit, last_activity_at=datetime.now(UTC) - timedelta(minutes=20))
    row = page.locator(f"tr[data-id={visit}]")
    expect(row).to_have_attribute("title", "Not on this page now")
    expect(page.get_by_role("button", name="1 new on this page: show")).to_be_visible()
    shop.change(visit, last_activity_at=datetime.now(UTC))
    expect(row).not_to_have_attribute("title", "Not on this page now")
    shop.change(visit, last_activity_at=datetime.now(UTC) - timedelta(minutes=20))
    expect(row).to_have_attribute("title", "Not on this page now")
    row.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_news_are_on_a_phones_screen(open_shop) -> None:
    page, shop = open_shop(more=30, width=390, height=844)
    rows(page).nth(6).get_by_role("link").focus()
    shop.come("newcomer")
    news = page.get_by_role("button", name="1 new visitor: show")
    expect(news).to_be_visible()
    expect(news).to_be_in_viewport(ratio=1)


def test_breakdown_keeps_its_order_while_one_is_about_to_press_and_the_focus_afterwards(
    open_shop,
) -> None:
    page, shop = open_shop()
    shop.change("visit3", browser="Firefox")
    shares = page.get_by_role("list", name="Visitors by Browser")
    expect(shares.locator(".word")).to_have_text(["Edge", "Firefox"])
    firefox = shares.get_by_role("button", name="Firefox")
    firefox.hover()
    for visit in ("visit0", "visit1"):
        shop.change(visit, browser="Firefox")
    expect(firefox.locator(".visits")).to_have_text("3")
    expect(shares.locator(".word")).to_have_text(["Edge", "Firefox"])
    page.mouse.move(0, 0)
    expect(shares.locator(".word")).to_have_text(["Firefox", "Edge"])
    firefox.focus()
    let_a_minute_pass(page)
    for visit in ("visit0", "visit1"):
        shop.change(visit, browser="Edge")
    expect(shares.locator(".word")).to_have_text(["Edge", "Firefox"])
    expect(firefox).to_be_focused()
    shop.change("visit3", browser="Edge")
    expect(firefox).to_have_count(0)
    expect(shares.get_by_role("button", name="Edge")).to_be_focused()


def test_number_of_visitors_is_read_aloud_after_a_choice_alone(open_shop) -> None:
    page, shop = open_shop()
    said = page.locator(".pager").get_by_role("status")
    expect(said).to_have_text("Shown: 4 visitors")
    shop.come("newcomer")
    expect(page.locator(".pager .count")).to_have_text("5 visitors")
    expect(said).to_have_text("Shown: 4 visitors")
    page.get_by_role("searchbox").fill("nobody")
    expect(said).to_have_text("Shown: 0 of 5 visitors")


def test_note_in_a_faded_row_can_be_read(open_shop) -> None:
    page, shop = open_shop()
    idle = datetime.now(UTC) - timedelta(minutes=15)
    shop.come("idle", last_activity_at=idle, started_at=idle, visit_number=3, cart_value=20)
    notes: Locator = page.locator("tr.dim td > .note:not(:empty)")
    expect(notes.first).to_be_visible()
    expect(page.locator(MARKED)).to_have_count(0)
    for colour, behind, opacity in notes.evaluate_all(
        "notes => notes.map(note => [getComputedStyle(note).color,"
        " getComputedStyle(note.closest('td')).backgroundColor,"
        " Number(getComputedStyle(note.closest('td')).opacity)])"
    ):
        ink, paper = (as_hex(page, each) for each in (colour, behind))
        assert contrast(faded(ink, paper, opacity), paper) >= 4.5


def test_order_that_is_asked_for_comes_at_once_under_the_focus(open_shop) -> None:
    page, shop = open_shop()
    shop.change("visit3", page_count=99)
    rows(page).first.get_by_role("link").focus()
    page.get_by_role("columnheader", name="Pages").get_by_role("button").click()
    wait_for(lambda: ids(page)[0] == "visit3")


def test_what_has_changed_is_marked_and_the_first_draw_is_not(open_shop) -> None:
    page, shop = open_shop()
    expect(page.locator(MARKED)).to_have_count(0)
    shop.change("visit2", current_path="/products/cup", page_context="Product")
    expect(page.locator("tr[data-id=visit2] td.changed[data-name=path]")).to_have_count(1)
    assert page.locator(MARKED).evaluate_all(
        "marked => marked.map(cell => cell.closest('tr').dataset.id + ' ' + cell.dataset.name)"
    ) == ["visit2 path", "visit2 page_context"]
    expect(page.locator(MARKED)).to_have_count(0)
    shop.come("newcomer")
    expect(page.locator("tr.changed")).to_have_attribute("data-id", "newcomer")


def test_nothing_is_marked_by_sorting_or_searching(open_shop) -> None:
    page, _ = open_shop()
    page.evaluate(
        """() => {
          window.marks = 0
          const hosts = [...document.querySelectorAll('*')].filter(each => each.shadowRoot)
          const root = hosts.map(each => each.shadowRoot).find(each => each.querySelector('tr'))
          new MutationObserver(() => { marks += root.querySelectorAll('.changed').length })
            .observe(root, {subtree: true, attributes: true, attributeFilter: ['class']})
        }"""
    )
    page.get_by_role("columnheader", name="Activity").get_by_role("button").click()
    page.get_by_role("searchbox").fill("nobody")
    expect(rows(page)).to_have_count(0)
    page.get_by_role("searchbox").fill("")
    expect(rows(page)).to_have_count(4)
    assert page.evaluate("marks") == 0


def test_mark_stands_still_where_motion_is_unwanted(open_shop) -> None:
    page, shop = open_shop()
    page.emulate_media(reduced_motion="reduce")
    shop.change("visit1", current_path="/elsewhere")
    marked = page.locator("td.changed")
    expect(marked).to_have_count(1)
    style = marked.evaluate(
        "cell => { const { animationName, boxShadow } = getComputedStyle(cell);"
        " return [animationName, boxShadow] }"
    )
    assert style[0] == "none"
    assert style[1] != "none"


def test_row_that_left_takes_no_click(open_shop) -> None:
    page, shop = open_shop()
    rows(page).nth(1).hover()
    shop.leave("visit1")
    left = page.locator("tr.left")
    expect(left).to_have_count(1)
    address = page.url
    left.get_by_role("button", name="Invite").click()
    left.get_by_role("link").click()
    wait_for_refresh(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url == address


def let_a_minute_pass(page: Page) -> None:
    """For the page's rules alone: its timers go on as they are."""
    page.evaluate(
        "() => { const now = performance.now.bind(performance);"
        " performance.now = () => now() + 61_000 }"
    )


def faded(ink: str, paper: str, opacity: float) -> str:
    """The colour of a text with that opacity."""
    mixed = (
        round(int(ink[at : at + 2], 16) * opacity + int(paper[at : at + 2], 16) * (1 - opacity))
        for at in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)
