"""Rewinding in a real browser: by a click into the day, slider, steps, field, play, Back, and back to live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from benchmarks.crowd import store_crowd
from core.moment import to_milliseconds
from pages.parts.past_moment import text_of
from tests.helpers.edit_watch import unsaid_edits
from tests.helpers.live_page import table
from tests.helpers.profiles import STILL
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database, make_site

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

ZONE = "Europe/Berlin"


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """With visitors of six hours; the last of them are still there."""
    url, engine = make_database(tmp_path_factory.mktemp("rewind"))
    make_site(engine, key="shop", time_zone=ZONE)
    for minutes in (360, 180, 12):
        at = datetime.now(UTC) - timedelta(minutes=minutes)
        store_crowd(url, 20, to_milliseconds(at))
    unsaid_edits.clear()  # there is no writer that would have to hear of them
    with running_dashboard(url) as address:
        yield address


@pytest.fixture
def page(browser: Browser, dashboard: str) -> Iterator[Page]:
    context = browser.new_context(
        base_url=dashboard, viewport={"width": 1440, "height": 900}, reduced_motion=STILL
    )
    yield context.new_page()
    context.close()


def at(page: Page) -> str:
    """What the address says; `page.url` would not change while nothing else is asked of the page."""
    return parse_qs(page.evaluate("location.search").removeprefix("?")).get("at", [""])[0]


def box(page: Page) -> Locator:
    return page.locator(".notice.past")


def open_at(page: Page, moment: datetime) -> str:
    text = text_of(moment, ZONE)
    page.goto(f"/?site=shop&at={text}")
    expect(box(page)).to_contain_text("This is the past.")
    expect(table(page)).to_be_visible()
    return text


def changed(page: Page, before: str) -> str:
    wait_for(lambda: at(page) != before, 60)
    return at(page)


def test_click_into_the_day_rewinds_to_its_minute(page: Page) -> None:
    page.goto("/?site=shop")
    expect(table(page)).to_be_visible()
    chart = page.locator(".st-key-timeline [data-testid=stVegaLiteChart]")
    expect(chart.locator("canvas, svg").first).to_be_visible()
    area = chart.bounding_box()
    assert area is not None
    then = datetime.now(ZoneInfo(ZONE)) - timedelta(hours=1)
    chart.click(position={"x": area["width"] * (then.hour * 60 + then.minute) / 1440, "y": 20})
    assert changed(page, "").endswith(":00")
    expect(box(page)).to_contain_text("This is the past.")
    page.get_by_role("button", name="Back to live").click()
    expect(box(page)).to_have_count(0)
    assert at(page) == ""


def test_steps_slider_and_field_each_lead_to_a_moment_and_back_undoes_them(page: Page) -> None:
    first = open_at(page, datetime.now(UTC) - timedelta(hours=3))
    page.get_by_role("button", name="Next visit or chat").click()
    after = changed(page, first)
    assert after > first
    page.get_by_role("button", name="Previous visit or chat").click()
    before = changed(page, after)
    assert before <= first
    slider = page.get_by_role("slider")
    for _ in range(3):
        slider.press("ArrowRight")
    changed(page, before)
    wait_for(lambda: slider.get_attribute("aria-valuetext") == at(page)[11:16], 60)
    slid = at(page)
    page.get_by_label("Date and time in").fill(first)
    page.get_by_label("Date and time in").press("Enter")
    assert changed(page, slid) == first
    page.go_back()
    expect(box(page)).to_contain_text(f"{slid[11:]} ({ZONE})")


def test_moment_that_is_still_to_come_is_told_and_the_page_is_live(page: Page) -> None:
    open_at(page, datetime.now(UTC) - timedelta(hours=3))
    tomorrow = datetime.now(ZoneInfo(ZONE)) + timedelta(days=1)
    field = page.get_by_label("Date and time in")
    field.evaluate("field => field.removeAttribute('max')")
    field.fill(f"{tomorrow:%Y-%m-%dT%H:%M:%S}")
    field.press("Enter")
    expect(page.get_by_text("This moment is still to come: the page is live.")).to_be_visible()
    expect(box(page)).to_have_count(0)
    assert at(page) == ""


def test_play_goes_on_and_only_its_end_is_a_step(page: Page) -> None:
    first = open_at(page, datetime.now(UTC) - timedelta(hours=3))
    page.get_by_role("button", name="Play 10 times as quickly").click()
    expect(box(page)).not_to_contain_text(first[11:])
    assert at(page) == first
    page.get_by_role("button", name="Pause").click()
    last = changed(page, first)
    assert last > first
    expect(box(page)).to_contain_text(last[11:])
    page.go_back()
    expect(box(page)).to_contain_text(first[11:])
