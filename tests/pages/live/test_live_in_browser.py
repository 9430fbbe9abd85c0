"""The dashboard as an agent has it: `streamlit run app.py` and Chromium.

Screenshots are kept in artifacts/.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import text, update
from sqlmodel import col

from core.database import reading, writing
from core.sites import find_site
from core.tables import Visit
from core.visits.labels import activity_label, duration_label
from pages.parts.script import joined_script
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.screens import keep_both_themes
from tests.helpers.seed import make_database, make_site, make_visit, make_visits

ROOT = Path(__file__).parents[3]
HOSTILE = "![x](http://evil.example/a.png)<img src=http://evil.example/b onerror=alert(1)>"
expect.set_options(timeout=20_000)
LENGTHS = [0, 1, 42, 59, 60, 185, 599, 600, 3599, 3600, 3900, 93600, 360000]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory):
    url, engine = make_database(tmp_path_factory.mktemp("dashboard"))
    now = datetime.now(UTC)
    make_site(engine, key="demo", name="Demo shop", time_zone="UTC")
    small = make_site(engine, key="small", name="Tea shop")
    make_visits(engine, small, 24, now=now)
    make_visit(
        engine,
        small,
        "hostile",
        now=now,
        current_path=f"/{HOSTILE}",
        current_title=HOSTILE,
        source=HOSTILE,
        attributes={"name": HOSTILE},
    )
    make_visits(engine, make_site(engine, key="big", name="Big shop"), 10_000, now=now)
    return url, engine


@pytest.fixture(scope="module")
def dashboard(database) -> Iterator[str]:
    """The address of a running dashboard."""
    with running_dashboard(database[0]) as address:
        yield address


@pytest.fixture
def open_site(browser: Browser, dashboard: str):
    """Opens Visitor Monitor; no page of a test may send a request to another server."""
    contexts = []
    requested: list[str] = []

    def open_site(
        key: str, *, width: int = 1440, height: int = 900, theme: str = "light", path: str = ""
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,  # pyright: ignore[reportArgumentType]
            accept_downloads=True,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requested.append(request.url))
        page.goto(f"{dashboard}/{path}?site={key}")
        return page

    yield open_site
    for context in contexts:
        context.close()
    own = (dashboard, dashboard.replace("http", "ws"), "data:", "blob:")
    assert [url for url in requested if not url.startswith(own)] == []


def table(page: Page) -> Locator:
    return page.get_by_role("table", name="Active visitors")


def rows(page: Page) -> Locator:
    return table(page).locator("tbody tr")


def ids(page: Page) -> list[str]:
    return rows(page).evaluate_all("rows => rows.map(row => row.dataset.id)")


def column(page: Page, name: str) -> list[str]:
    return rows(page).locator(f"td[data-name={name}]").all_inner_texts()


def refresh_every(page: Page, choice: str) -> None:
    page.get_by_role("combobox", name="Refresh").click()
    chosen = page.get_by_role("option", name=choice, exact=True)
    chosen.click()
    expect(chosen).to_be_hidden()  # the list takes the focus back when it closes


def wait_for_refresh(page: Page, times: int = 1) -> None:
    """Wait until the page has shown newer pictures this many times."""
    for _ in range(times):
        before = page.get_by_text("Updated ").inner_text()
        expect(page.get_by_text("Updated ")).not_to_have_text(before, timeout=30_000)


def test_table_is_a_named_table_with_sortable_headers(open_site) -> None:
    page = open_site("small")
    expect(rows(page)).to_have_count(25)
    headers = table(page).get_by_role("columnheader").all_inner_texts()
    assert headers == [
        "Status",
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
    assert table(page).get_by_role("columnheader").get_by_role("button").count() == 10


def test_pausing_and_going_on_leave_the_rows_where_they_are(open_site) -> None:
    page = open_site("small")
    first = rows(page).first
    first.evaluate("row => { row.wasHere = true }")
    for choice, is_paused in (("Paused", True), ("30 s", False), ("Paused", True)):
        refresh_every(page, choice)
        moment = page.get_by_text("Updated ")
        expect(moment.filter(has_text="paused")).to_have_count(int(is_paused))
        page.wait_for_timeout(500)
        assert first.evaluate("row => row.wasHere"), choice


def test_third_click_on_a_header_restores_the_default_order(open_site) -> None:
    page = open_site("small")
    refresh_every(page, "Paused")
    expect(rows(page)).to_have_count(25)
    default = ids(page)
    header = table(page).get_by_role("columnheader", name="Pages")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    wait_for(lambda: is_sorted(column(page, "page_count")))
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    wait_for(lambda: is_sorted(column(page, "page_count")[::-1]))
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
    expect(page.get_by_text(f"{found} of 25 visitors")).to_be_visible()
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


def test_refresh_does_not_follow_a_row_that_moves_away(open_site, database) -> None:
    site = make_site(database[1], key="still", name="Still shop")
    now = datetime.now(UTC)
    for number in range(40):
        active = now - timedelta(seconds=number)
        make_visit(database[1], site, f"row{number:02}", now=now, last_activity_at=active)
    page = open_site("still")
    refresh_every(page, "2 s")
    scroll = page.locator(".list .scroll")
    scroll.evaluate("box => { box.scrollTop = 200 }")
    wait_for_refresh(page)
    topmost = ids(page)[3:7]
    with writing(database[1]) as db:
        idle = update(Visit).where(col(Visit.site_id) == site.id, col(Visit.id).in_(topmost))
        db.execute(idle.values(last_activity_at=now - timedelta(minutes=15)))
    wait_for(lambda: set(ids(page)[-4:]) == set(topmost))
    assert scroll.evaluate("box => box.scrollTop") == 200


def test_enter_opens_the_visitor_and_back_finds_the_row_again(open_site) -> None:
    page = open_site("small")
    page.get_by_role("searchbox").fill("a")
    rows(page).get_by_role("link").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    visit = page.locator("tr[aria-current]").get_attribute("data-id")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Pages in order").first).to_be_visible()
    assert f"/visitor?site=small&visit={visit}" in page.url
    page.go_back()
    expect(page.locator("tr[aria-current]")).to_have_attribute("data-id", str(visit))
    expect(page.get_by_role("searchbox")).to_have_value("a")


def test_row_has_a_real_address_that_opens_in_a_new_tab(open_site) -> None:
    page = open_site("small")
    row = rows(page).nth(3)
    visit = row.get_attribute("data-id")
    with page.context.expect_page() as opened:
        row.locator("td[data-name=source]").click(modifiers=["Control"])
    expect(opened.value.get_by_text("Pages in order").first).to_be_visible()
    assert opened.value.url.endswith(f"/visitor?site=small&visit={visit}")
    row.locator("td[data-name=page_count]").click()
    expect(page.get_by_text("Pages in order").first).to_be_visible()


def test_breakdown_narrows_the_table_and_the_chip_clears_it(open_site) -> None:
    page = open_site("small")
    shares = page.get_by_role("table", name="Visitors by Browser")
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
    expect(page.get_by_text("1–100 of 10,000 visitors")).to_be_visible()
    first = ids(page)
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_text("101–200 of 10,000 visitors")).to_be_visible()
    wait_for(lambda: not set(first) & set(ids(page)))
    began = time.monotonic()
    page.get_by_role("searchbox").fill("/cart")
    wait_for(lambda: set(column(page, "path")) == {"/cart"})
    assert time.monotonic() - began < 5


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
    assert dot.evaluate(moving) == "pulse"
    page.emulate_media(reduced_motion="reduce")
    assert dot.evaluate(moving) == "none"


def test_hostile_text_is_shown_literally(open_site) -> None:
    page = open_site("small")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    cell = table(page).get_by_text(f"/{HOSTILE}", exact=True)
    expect(cell).to_be_visible()
    cell.click()
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


def test_banner_comes_and_goes_with_the_database(open_site, database) -> None:
    page = open_site("small")
    refresh_every(page, "2 s")
    expect(rows(page)).to_have_count(25)
    try:
        with writing(database[1]) as db:
            db.execute(text("ALTER TABLE visit RENAME TO visit_away"))
        expect(page.get_by_role("alert")).to_contain_text("No answer from the database.")
        expect(rows(page)).to_have_count(25)
    finally:
        with writing(database[1]) as db:
            db.execute(text("ALTER TABLE visit_away RENAME TO visit"))
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(rows(page)).to_have_count(25)


def test_own_rule_is_typed_tested_and_saved(open_site, database) -> None:
    page = open_site("small", path="sites", height=1400)
    page.get_by_role("textbox", name="Pattern").fill("/brew/*")
    page.get_by_role("combobox", name="Context").click()
    page.get_by_role("option", name="Product", exact=True).click()
    page.get_by_role("button", name="Add rule").click()
    expect(page.get_by_text("1. /brew/*")).to_be_visible()
    page.get_by_role("textbox", name="Test a URL").fill("https://shop.example/brew/green")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Context: Product")).to_be_visible()
    with reading(database[1]) as db:
        site = find_site(db, "small")
    assert site is not None
    assert site.context_rules == [{"pattern": "/brew/*", "context": "Product"}]


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


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", ["sites", "visitor"])
def test_other_pages_fit_their_screen(open_site, path: str, width: int) -> None:
    page = open_site("small&visit=hostile", width=width, path=path)
    landmark = "Own context rules" if path == "sites" else "Pages in order"
    expect(page.get_by_text(landmark).first).to_be_visible()
    keep_both_themes(page, path)


def is_sorted(numbers: list[str]) -> bool:
    return sorted(map(int, numbers)) == list(map(int, numbers))
