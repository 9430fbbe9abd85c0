"""What changes on a site is on the screen at once, pushed, and the page says whether it is live.

The timer's thirty seconds are longer than anything here waits for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from core.database import writing
from core.moment import utc_now
from core.site_changes import note_changes
from core.sites import add_site, find_site
from tests.helpers.database_away import database_away
from tests.helpers.free_port import free_port
from tests.helpers.running_collector import RunningCollector, running_collector, view
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.screens import keep_screenshot

PUSHED = 15_000
"""Milliseconds: half of the timer's interval, on a busy machine."""

NOT_ANSWERED = re.compile(r"Not live since \d\d:\d\d:\d\d: the database does not answer\.")
INTERRUPTED = re.compile(
    r"Not live since \d\d:\d\d: the stream is interrupted; refreshed every 30 s\."
)

PLAYED_STREAM = """
  window.EventSource = class extends EventTarget {
    constructor(address) {
      super()
      if (address.endsWith("/changes")) window.changes = this
    }
    say(kind, data) { this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) })) }
    close() {}
  }"""
"""The page's streams, with the server's words said by the test."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


class WallClock:
    """The collector's clock as it is outside of tests."""

    def __call__(self) -> int:
        return int(utc_now().timestamp() * 1000)

    @property
    def now(self) -> int:
        return self()


@pytest.fixture(scope="module")
def database_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("push") / "monitor.db"
    file.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{file}"


@pytest.fixture(scope="module")
def collector(database_url: str) -> Iterator[RunningCollector]:
    clock: Any = WallClock()
    with running_collector(database_url, clock=clock) as collector:
        yield collector


@pytest.fixture(scope="module")
def dashboard(collector: RunningCollector, database_url: str) -> Iterator[str]:
    with running_dashboard(database_url) as address:
        yield address


@pytest.fixture
def site(collector: RunningCollector, request: pytest.FixtureRequest) -> str:
    """The key of a site of the test's own, without a visitor yet."""
    key = request.node.name.removeprefix("test_")[:50]
    with writing(collector.engine) as db:
        add_site(db, name="Tea shop", key=key, time_zone="Europe/Berlin", now=utc_now())
    collector.refresh_sites()
    return key


@pytest.fixture
def context(make_context: Any) -> BrowserContext:
    return make_context()


def open_live(context: BrowserContext, dashboard: str, site: str) -> Page:
    page = context.new_page()
    page.goto(f"{dashboard}/?site={site}")
    expect(status(page)).to_have_text("Live", timeout=60_000)
    return page


def status(page: Page) -> Locator:
    return page.locator(".moment-line").get_by_role("status")


def choose(page: Page, choice: str) -> None:
    page.get_by_role("combobox", name="Refresh").click()
    page.get_by_role("option", name=choice, exact=True).click()


def hide(page: Page, is_hidden: bool) -> None:
    """As when another tab comes to the front: a browser without windows cannot do it."""
    page.evaluate(
        """isHidden => {
            Object.defineProperty(document, "hidden", { value: isHidden, configurable: true })
            document.dispatchEvent(new Event("visibilitychange"))
        }""",
        is_hidden,
    )


def rows(page: Page) -> Locator:
    return page.get_by_role("table", name="Active visitors").locator("tbody tr")


def visit(collector: RunningCollector, site: str, number: int, *events: Any) -> None:
    sent = collector.post(*events, site=site, visit=f"visitor{number:013d}")
    assert sent.status_code == 200


def test_first_visitor_turns_the_welcome_into_the_table_and_changes_follow(
    collector: RunningCollector, dashboard: str, site: str, context: BrowserContext
) -> None:
    page = open_live(context, dashboard, site)
    expect(page.get_by_text("No visitors yet")).to_be_visible()
    visit(collector, site, 1, view(1, path="/first"))
    expect(rows(page)).to_have_count(1, timeout=PUSHED)
    visit(collector, site, 2, view(1, path="/second"))
    expect(rows(page)).to_have_count(2, timeout=PUSHED)
    visit(collector, site, 1, view(2, path="/cart"))
    expect(rows(page).get_by_text("/cart", exact=True)).to_be_visible(timeout=PUSHED)
    visit(collector, site, 2, {"e": "h", "n": 2, "u": "/second"})
    expect(page.locator("td.kind-status.away")).to_have_count(1, timeout=PUSHED)


def test_hidden_page_waits_until_it_is_looked_at(
    collector: RunningCollector, dashboard: str, site: str, context: BrowserContext
) -> None:
    visit(collector, site, 1, view(1, path="/first"))
    page = open_live(context, dashboard, site)
    expect(rows(page)).to_have_count(1)
    hide(page, True)
    other = open_live(context, dashboard, site)
    visit(collector, site, 2, view(1, path="/second"))
    expect(rows(other)).to_have_count(2, timeout=PUSHED)
    assert rows(page).count() == 1
    hide(page, False)
    expect(rows(page)).to_have_count(2, timeout=PUSHED)


def test_tabs_of_a_browser_share_one_stream_and_the_next_one_takes_it_over(
    collector: RunningCollector, dashboard: str, site: str, context: BrowserContext
) -> None:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    visit(collector, site, 1, view(1, path="/first"))
    pages = [open_live(context, dashboard, site) for _ in range(2)]
    visit(collector, site, 2, view(1, path="/second"))
    for page in pages:
        expect(rows(page)).to_have_count(2, timeout=PUSHED)
    assert len([url for url in asked if url.endswith("/changes")]) == 1
    pages[0].close()
    visit(collector, site, 3, view(1, path="/third"))
    expect(rows(pages[1])).to_have_count(3, timeout=PUSHED)


def test_page_of_a_visitor_follows_too(
    collector: RunningCollector, dashboard: str, site: str, context: BrowserContext
) -> None:
    visit(collector, site, 1, view(1, path="/first"))
    page = context.new_page()
    page.goto(f"{dashboard}/visitor?site={site}&visit=visitor{1:013d}")
    table = page.get_by_role("table", name="Pages in order")
    expect(table.get_by_text("/first", exact=True)).to_be_visible(timeout=60_000)
    visit(collector, site, 1, view(2, path="/cart"))
    expect(table.get_by_text("/cart", exact=True)).to_be_visible(timeout=PUSHED)


def test_site_that_is_switched_off_says_so_at_once(
    collector: RunningCollector, dashboard: str, site: str, context: BrowserContext
) -> None:
    visit(collector, site, 1, view(1, path="/first"))
    page = open_live(context, dashboard, site)
    collector.change_site(site, tracking_enabled=False)
    expect(page.get_by_text("Tracking is off for this site.")).to_be_visible(timeout=PUSHED)


def test_site_that_is_renamed_has_its_new_name_at_once(
    collector: RunningCollector, dashboard: str, site: str, context: BrowserContext
) -> None:
    visit(collector, site, 1, view(1, path="/first"))
    page = open_live(context, dashboard, site)
    chooser = page.get_by_role("combobox", name="Site")
    expect(chooser).to_have_value("Tea shop")
    collector.change_site(site, name="Tea & pots")
    expect(page.get_by_text("Tea & pots", exact=True).first).to_be_visible(timeout=PUSHED)
    expect(chooser).to_have_value("Tea & pots")
    expect(page).to_have_title("1 online · Tea & pots · Visitor Monitor")


def test_dot_of_a_live_page_is_seen_in_forced_colours(
    collector: RunningCollector, dashboard: str, site: str, context: BrowserContext
) -> None:
    visit(collector, site, 1, view(1, path="/first"))
    page = open_live(context, dashboard, site)
    page.emulate_media(forced_colors="active")
    colour = "node => getComputedStyle(node).backgroundColor"
    dot = page.locator(".moment-line .dot")
    expect(dot).to_be_visible()
    assert dot.evaluate(colour) != page.locator(".stApp").evaluate(colour)
    keep_screenshot(page, "live-forced-colours")


def test_paused_page_stands_still(
    collector: RunningCollector, dashboard: str, site: str, context: BrowserContext
) -> None:
    visit(collector, site, 1, view(1, path="/first"))
    page, other = (open_live(context, dashboard, site) for _ in range(2))
    choose(page, "Paused")
    expect(status(page)).to_have_text("Paused")
    visit(collector, site, 2, view(1, path="/second"))
    expect(rows(other)).to_have_count(2, timeout=PUSHED)
    assert rows(page).count() == 1
    choose(page, "Live")
    expect(rows(page)).to_have_count(2, timeout=PUSHED)
    expect(status(page)).to_have_text("Live", timeout=PUSHED)


def test_page_says_since_when_the_database_does_not_answer(
    collector: RunningCollector, dashboard: str, site: str, context: BrowserContext
) -> None:
    visit(collector, site, 1, view(1, path="/first"))
    page = open_live(context, dashboard, site)
    with database_away(collector.engine, "visit"):
        with writing(collector.engine) as db:
            found = find_site(db, site)
            note_changes(db, [(found and found.id) or 0])
        expect(status(page)).to_have_text(NOT_ANSWERED, timeout=PUSHED)
    expect(status(page)).to_have_text("Live", timeout=40_000)


def test_page_says_soon_that_the_database_is_away_when_nothing_else_happens(
    collector: RunningCollector, dashboard: str, site: str, context: BrowserContext
) -> None:
    visit(collector, site, 1, view(1, path="/first"))
    page = open_live(context, dashboard, site)
    with database_away(collector.engine):
        expect(status(page)).to_have_text(NOT_ANSWERED, timeout=PUSHED)
    expect(status(page)).to_have_text("Live", timeout=40_000)


def test_page_says_since_when_the_stream_is_interrupted_and_goes_on_afterwards(
    collector: RunningCollector, database_url: str, site: str, context: BrowserContext
) -> None:
    visit(collector, site, 1, view(1, path="/first"))
    port = free_port()
    with running_dashboard(database_url, port) as address:
        page = open_live(context, address, site)
        expect(rows(page)).to_have_count(1)
        expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
    expect(status(page)).to_have_text(INTERRUPTED, timeout=40_000)
    visit(collector, site, 2, view(1, path="/second"))
    with running_dashboard(database_url, port):
        expect(rows(page)).to_have_count(2, timeout=60_000)
        expect(status(page)).to_have_text("Live", timeout=60_000)


def test_page_is_live_only_while_the_server_itself_hears_of_changes(
    dashboard: str, site: str, context: BrowserContext
) -> None:
    page = context.new_page()
    page.add_init_script(PLAYED_STREAM)
    page.goto(f"{dashboard}/?site={site}")
    expect(status(page)).to_be_attached(timeout=60_000)
    page.wait_for_function("window.changes !== undefined")
    page.evaluate("changes.say('hello', {following: false})")
    page.evaluate("changes.say('message', {sites: {}})")
    expect(status(page)).to_have_text(INTERRUPTED)
    page.evaluate("changes.say('beat', {})")
    expect(status(page)).to_have_text("Live")
    page.evaluate("changes.say('message', {sites: {}, following: false})")
    expect(status(page)).to_have_text(INTERRUPTED)
