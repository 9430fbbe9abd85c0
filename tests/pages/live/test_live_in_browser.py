"""The dashboard as an agent has it: `streamlit run app.py` and Chromium.

Screenshots are kept where MONITOR_TEST_ARTIFACTS says.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from sqlalchemy import text, update
from sqlmodel import col

from core.database import reading, writing
from core.sites import find_site
from core.tables import Visit
from core.visits.labels import activity_label, duration_label
from pages.parts.script import joined_script
from tests.helpers.live_page import column, ids, refresh_every, rows, table, wait_for_refresh
from tests.helpers.running_collector import wait_for
from tests.helpers.screens import keep_both_themes
from tests.helpers.seed import make_site, make_visit
from tests.pages.live.conftest import HOSTILE

ROOT = Path(__file__).parents[3]
LENGTHS = [0, 1, 42, 59, 60, 185, 599, 600, 3599, 3600, 3900, 93600, 360000]

pytestmark = pytest.mark.timeout(300)


def test_table_is_a_named_table_with_sortable_headers(open_site) -> None:
    page = open_site("small")
    expect(rows(page)).to_have_count(25)
    headers = table(page).get_by_role("columnheader").all_inner_texts()
    assert headers == [
        "Status",
        "Visitor",
        "Current Page",
        "Context",
        "From",
        "Browser",
        "Country",
        "Pages",
        "Time on Site",
        "Activity",
        "Chat",
    ]
    assert table(page).get_by_role("columnheader").get_by_role("button").count() == 11


@pytest.mark.long
def test_pausing_and_going_on_leave_the_rows_where_they_are(open_site) -> None:
    page = open_site("small")
    first = rows(page).first
    first.evaluate("row => { row.wasHere = true }")
    for choice, is_paused in (("Paused", True), ("30 s", False), ("Paused", True)):
        refresh_every(page, choice)
        moment = page.locator(".moment-line")
        expect(moment.get_by_role("status").filter(has_text="Paused")).to_have_count(int(is_paused))
        page.wait_for_timeout(500)
        assert first.evaluate("row => row.wasHere"), choice


def test_title_follows_the_number_online(open_site, live_database) -> None:
    quiet = make_site(live_database[1], key="quiet", name="Quiet shop")
    page = open_site("quiet")
    expect(page).to_have_title("0 online · Quiet shop · Visitor Monitor")
    make_visit(live_database[1], quiet, "the first visitor", now=datetime.now(UTC))
    refresh_every(page, "2 s")
    expect(page).to_have_title("1 online · Quiet shop · Visitor Monitor")


def test_first_day_of_a_site_is_drawn_without_a_day_before(open_site) -> None:
    page = open_site("fifty")
    drawn = page.locator(".st-key-timeline svg.marks .mark-line path")
    expect(drawn).to_have_attribute("d", re.compile(r"^M\d"))


def test_number_sorts_the_largest_first_and_the_third_click_restores_the_default_order(
    open_site,
) -> None:
    page = open_site("small")
    refresh_every(page, "Paused")
    expect(rows(page)).to_have_count(25)
    default = ids(page)
    header = table(page).get_by_role("columnheader", name="Pages")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    wait_for(lambda: is_sorted(column(page, "page_count")[::-1]))
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    wait_for(lambda: is_sorted(column(page, "page_count")))
    header.get_by_role("button").click()
    expect(header).not_to_have_attribute("aria-sort", re.compile(".*"))
    wait_for(lambda: ids(page) == default)


def test_search_keeps_its_text_and_focus_through_refreshes(open_site) -> None:
    page = open_site("small")
    refresh_every(page, "2 s")
    search = page.get_by_role("searchbox")
    search.fill("checkout")
    wait_for(lambda: (paths := column(page, "path")) and all("checkout" in path for path in paths))
    found = rows(page).count()
    assert 0 < found < 25
    wait_for_refresh(page, 2)
    expect(search).to_have_value("checkout")
    expect(search).to_be_focused()
    assert rows(page).count() == found
    expect(page.locator(".pager .count")).to_have_text(f"{found} of 25 visitors")
    search.fill("nobody has this")
    expect(page.get_by_text("No visitor matches the search and the filters.")).to_be_visible()


def test_filters_by_status_and_context(open_site) -> None:
    page = open_site("small")
    page.get_by_role("combobox", name="Any status").select_option("Chatting")
    wait_for(lambda: all(status.startswith("Chatting") for status in column(page, "status")))
    page.get_by_role("combobox", name="Any status").select_option("")
    page.get_by_role("combobox", name="Any context").select_option("Cart")
    wait_for(lambda: set(column(page, "page_context")) == {"Cart"})


def test_refresh_keeps_nodes_focus_selection_and_scroll(open_site) -> None:
    page = open_site("small")
    refresh_every(page, "2 s")
    expect(rows(page)).to_have_count(25)
    links = rows(page).get_by_role("link")
    links.first.focus()
    for _ in range(14):
        page.keyboard.press("ArrowDown")
    chosen = page.locator("tr[aria-current]")
    visit = chosen.get_attribute("data-id")
    chosen.evaluate("row => { row.isTheSameNode = true }")
    scroll = page.locator(".list .scroll")
    scroll.evaluate("box => { box.scrollTop = 90 }")
    wait_for_refresh(page, 3)
    expect(chosen).to_have_attribute("data-id", str(visit))
    assert chosen.evaluate("row => row.isTheSameNode") is True
    assert chosen.evaluate("row => row.contains(row.getRootNode().activeElement)") is True
    assert scroll.evaluate("box => box.scrollTop") == 90


@pytest.mark.long
def test_refresh_does_not_follow_a_row_that_moves_away(open_site, live_database) -> None:
    site = make_site(live_database[1], key="still", name="Still shop")
    now = datetime.now(UTC)
    for number in range(40):
        active = now - timedelta(seconds=number)
        make_visit(live_database[1], site, f"row{number:02}", now=now, last_activity_at=active)
    page = open_site("still")
    refresh_every(page, "2 s")
    scroll = page.locator(".list .scroll")
    scroll.evaluate("box => { box.scrollTop = 200 }")
    wait_for_refresh(page)
    topmost = ids(page)[3:7]
    with writing(live_database[1]) as db:
        idle = update(Visit).where(col(Visit.site_id) == site.id, col(Visit.id).in_(topmost))
        db.execute(idle.values(last_activity_at=now - timedelta(minutes=15)))
    wait_for(lambda: set(ids(page)[-4:]) == set(topmost))
    assert scroll.evaluate("box => box.scrollTop") == 200


def test_row_has_a_real_address_that_opens_in_a_new_tab(open_site) -> None:
    page = open_site("small")
    row = rows(page).nth(3)
    visit = row.get_attribute("data-id")
    with page.context.expect_page() as opened:
        row.locator("td[data-name=source]").click(modifiers=["Control"])
    expect(opened.value.get_by_text("Pages in order").first).to_be_visible()
    assert opened.value.url.endswith(f"/visitor?site=small&visit={visit}")


def test_breakdown_narrows_the_table_and_the_chip_clears_it(open_site) -> None:
    page = open_site("small")
    shares = page.get_by_role("list", name="Visitors by Browser")
    safari = shares.get_by_role("button", name="Safari")
    expect(safari).to_have_attribute("aria-pressed", "false")
    safari.click()
    expect(safari).to_have_attribute("aria-pressed", "true")
    wait_for(lambda: set(column(page, "browser")) == {"Safari"})
    page.get_by_role("button", name="Clear the filter Browser: Safari").click()
    expect(rows(page)).to_have_count(25)
    expect(safari).to_have_attribute("aria-pressed", "false")
    safari.focus()
    page.keyboard.press("Enter")
    expect(safari).to_have_attribute("aria-pressed", "true")


def test_ten_thousand_visitors_are_paged(open_site) -> None:
    page = open_site("big")
    expect(page.locator(".pager .count")).to_have_text("1–100 of 10,000 visitors")
    first = ids(page)
    page.get_by_role("button", name="Next page").click()
    expect(page.locator(".pager .count")).to_have_text("101–200 of 10,000 visitors")
    wait_for(lambda: not set(first) & set(ids(page)))
    page.get_by_role("searchbox").fill("/cart")
    wait_for(lambda: set(column(page, "path")) == {"/cart"})


def test_clocks_tick_between_refreshes(open_site) -> None:
    page = open_site("small")
    cell = (
        rows(page)
        .filter(has=page.locator("td.kind-status:not(.away)"))
        .first.locator("td[data-name=time_on_site]")
    )
    expect(cell).to_be_visible()
    updated = page.get_by_text("Updated ").inner_text()
    before = cell.inner_text()
    expect(cell).not_to_have_text(before, timeout=5_000)
    assert page.get_by_text("Updated ").inner_text() == updated


def test_labels_in_the_browser_are_the_ones_of_python(browser: Browser) -> None:
    source = joined_script(ROOT / "pages" / "parts" / "table" / "labels.js")
    page = browser.new_page()
    limits = "{active: 60, idle: 600}"
    labels = page.evaluate(
        f"(seconds) => {{ {source}; return seconds.map(s => "
        f"[lengthLabel(s), activityLabel(s, {limits})]) }}",
        LENGTHS,
    )
    page.close()
    assert labels == [
        [duration_label(timedelta(seconds=s)), activity_label(timedelta(seconds=s))]
        for s in LENGTHS
    ]


def test_pulse_stops_where_motion_is_unwanted(open_site) -> None:
    page = open_site("small")
    dot = page.locator("td.pulse:not(.away) .dot").first
    moving = "dot => getComputedStyle(dot).animationName"
    expect(dot).to_be_visible()
    page.emulate_media(reduced_motion="no-preference")
    assert dot.evaluate(moving) == "pulse"
    page.emulate_media(reduced_motion="reduce")
    assert dot.evaluate(moving) == "none"


def test_hostile_text_is_shown_literally(open_site) -> None:
    page = open_site("small")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    cell = table(page).get_by_text(f"/{HOSTILE}", exact=True)
    expect(cell).to_be_visible()
    cell.click()
    expect(page.get_by_role("region", name="Visitor")).to_contain_text(HOSTILE)
    page.get_by_role("link", name="Open the visitor's page").click()
    expect(page.get_by_text("Pages in order").first).to_be_visible()
    assert page.get_by_text(HOSTILE).count() >= 3
    assert page.locator("img[src*=evil]").count() == 0


def test_csv_is_guarded_and_has_every_row(open_site) -> None:
    page = open_site("big")
    page.get_by_role("tab", name="Data").click()
    expect(page.get_by_text("the first 1,000 are shown")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    file = Path(download.value.path()).read_bytes()
    assert file.startswith(b"\xef\xbb\xbfid,status,")
    lines = file.decode("utf-8-sig").splitlines()
    assert len(lines) == 10_001


def test_banner_comes_and_goes_with_the_database(open_site, live_database) -> None:
    page = open_site("small")
    refresh_every(page, "2 s")
    expect(rows(page)).to_have_count(25)
    try:
        with writing(live_database[1]) as db:
            db.execute(text("ALTER TABLE visit RENAME TO visit_away"))
        expect(page.get_by_role("alert")).to_contain_text("No answer from the database.")
        expect(rows(page)).to_have_count(25)
    finally:
        with writing(live_database[1]) as db:
            db.execute(text("ALTER TABLE visit_away RENAME TO visit"))
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(rows(page)).to_have_count(25)


@pytest.mark.long
def test_own_rule_is_typed_tested_and_saved(open_site, live_database) -> None:
    page = open_site("small", path="sites", height=1400)
    # A list that is opened while the page is still being drawn closes again.
    drawn = page.get_by_test_id("stApp")
    expect(page.get_by_role("textbox", name="Test an address")).to_be_visible()
    expect(drawn).to_have_attribute("data-test-script-state", "notRunning")
    page.get_by_role("textbox", name="Pattern").fill("/brew/*")
    wait_for(lambda: choose(page, "Context", "Product"), 60)
    page.get_by_role("button", name="Add rule").click()
    expect(page.get_by_text("1. /brew/*")).to_be_visible()
    page.get_by_role("textbox", name="Test an address").fill("https://shop.example/brew/green")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Context: Product")).to_be_visible()
    with reading(live_database[1]) as db:
        site = find_site(db, "small")
    assert site is not None
    assert site.context_rules == [{"pattern": "/brew/*", "context": "Product"}]


def choose(page: Page, name: str, option: str) -> bool:
    """Whether the option was chosen: the list closes when Streamlit draws the page anew meanwhile."""
    page.get_by_role("combobox", name=name).click()
    try:
        page.get_by_role("option", name=option, exact=True).click(timeout=3_000)
    except PlaywrightTimeout:
        return False
    return True


@pytest.mark.long
@pytest.mark.parametrize("width, height", [(1440, 1000), (390, 844)])
@pytest.mark.parametrize("key", ["demo", "small", "big"])
def test_page_fits_its_screen(open_site, key: str, width: int, height: int) -> None:
    page = open_site(key, width=width, height=height)
    landmark = page.get_by_text("No visitors yet") if key == "demo" else rows(page).first
    expect(landmark).to_be_visible()
    keep_both_themes(page, f"live-{key}")
    if key == "small":
        page.get_by_role("tab", name="Data").click()
        expect(page.get_by_test_id("stDataFrame")).to_be_visible()
        keep_both_themes(page, "data")


@pytest.mark.long
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", ["sites", "visitor"])
def test_other_pages_fit_their_screen(open_site, path: str, width: int) -> None:
    page = open_site("small&visit=hostile", width=width, path=path)
    landmark = "Own context rules" if path == "sites" else "Pages in order"
    expect(page.get_by_text(landmark).first).to_be_visible()
    keep_both_themes(page, path)


def is_sorted(numbers: list[str]) -> bool:
    return sorted(map(int, numbers)) == list(map(int, numbers))
