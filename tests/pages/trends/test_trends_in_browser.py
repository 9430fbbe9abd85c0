"""Trends in a browser: a press narrows all cards, the address keeps it, the data is taken away."""

# Fixtures are imported by their name: a test's parameter is no redefinition.
# ruff: noqa: F811

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.database import writing
from core.visits.calendar import Period
from tests.helpers.agent_browsers import (  # noqa: F401
    dashboard,
    database,
    engine,
    new_context,
    site,
)
from tests.helpers.past_visits import PastVisit, make_visits, store

pytestmark = pytest.mark.timeout(300)
NUMBER = 40


@pytest.fixture(scope="module")
def visits(engine: Any, site: Any) -> list[PastVisit]:
    now = datetime.now(UTC)
    made = make_visits(site.id, Period(now - timedelta(days=2), now - timedelta(days=1)), NUMBER, 5)
    with writing(engine) as db:
        store(db, made)
    return made


@pytest.fixture
def page(new_context: Any, dashboard: str, visits: list[PastVisit]) -> Page:
    page = new_context().new_page()
    page.goto(f"{dashboard}/trends?site=tea")
    expect(total(page)).to_have_text(str(NUMBER))
    return page


def total(page: Page) -> Any:
    """The number of visits."""
    return page.locator(".totals > div", has=page.get_by_text("Visits", exact=True)).locator(
        "strong"
    )


def row(page: Page, card: str, label: str) -> Any:
    return page.get_by_role("list", name=f"Visits by {card}").get_by_role("button", name=label)


def test_press_and_enter_narrow_all_cards_and_back_undoes_it(
    page: Page, visits: list[PastVisit]
) -> None:
    google = [visit for visit in visits if visit.row["source"] == "Google"]
    german = [visit for visit in google if visit.row["country"] == "DE"]
    row(page, "Sources", "Google").click()
    expect(total(page)).to_have_text(str(len(google)))
    expect(page).to_have_url(re.compile(r"source=Google"))
    country = row(page, "Countries", "Germany")
    country.focus()
    page.keyboard.press("Enter")
    expect(total(page)).to_have_text(str(len(german)))
    page.reload()
    expect(total(page)).to_have_text(str(len(german)))
    page.get_by_role("button", name="Clear the filter Country: Germany").click()
    expect(total(page)).to_have_text(str(len(google)))
    page.go_back()
    expect(total(page)).to_have_text(str(len(german)))
    page.get_by_role("button", name="Clear all filters").click()
    expect(total(page)).to_have_text(str(NUMBER))


def test_hours_are_in_their_order_though_some_have_no_median(
    page: Page, dashboard: str, visits: list[PastVisit]
) -> None:
    day = visits[0].row["started_at"].date()
    page.goto(f"{dashboard}/trends?site=tea&range=custom&from={day}&to={day}")
    page.get_by_role("radio", name="Median Time on Site").click()
    expect(page.get_by_text("Median Time on Site by Hour").first).to_be_visible()
    labels = page.locator(".stVerticalBlock.st-key-chart-series .role-axis-label text")
    expect(labels.filter(has_text="m").first).to_be_visible()  # a length: the new chart is drawn
    hours = [text for text in labels.all_text_contents() if ":" in text]
    assert hours and hours == sorted(hours)


def test_range_and_part_stand_in_the_address(page: Page) -> None:
    page.get_by_role("radio", name="30 days").click()
    expect(page).to_have_url(re.compile(r"range=30d"))
    page.get_by_role("tab", name="Funnel").click()
    expect(page).to_have_url(re.compile(r"part=funnel"))
    expect(page.get_by_role("table", name="From step to step")).to_be_visible()
    page.reload()
    expect(page.get_by_role("table", name="From step to step")).to_be_visible()
    expect(page.get_by_text(f"Of {NUMBER} visits:")).to_be_visible()


def test_data_of_a_card_is_taken_away(page: Page, tmp_path: Path) -> None:
    page.locator(".st-key-list-sources").get_by_role("button", name="Show the data").click()
    with page.expect_download() as begun:
        page.get_by_role("button", name="Download CSV").click()
    begun.value.save_as(tmp_path / "sources.csv")
    written = (tmp_path / "sources.csv").read_text(encoding="utf-8-sig")
    assert written.startswith("value,label,visits") and "Google" in written


def test_map_draws_its_countries_without_another_server(page: Page) -> None:
    # What is asked of others fails new_context.
    chart = page.locator(".stVerticalBlock.st-key-chart-map")
    chart.scroll_into_view_if_needed()
    expect(chart.locator("canvas, svg[role=img], [role=graphics-document]").first).to_be_visible()


def test_press_on_the_map_narrows_all_cards_and_another_one_widens_them(
    page: Page, visits: list[PastVisit]
) -> None:
    german = sum(visit.row["country"] == "DE" for visit in visits)
    press_germany(page)
    expect(total(page)).to_have_text(str(german))
    expect(page).to_have_url(re.compile(r"country=DE"))
    press_germany(page)
    expect(total(page)).to_have_text(str(NUMBER))
    press_germany(page)
    expect(total(page)).to_have_text(str(german))


def press_germany(page: Page) -> None:
    """On the map, which is drawn as SVG with a name for each country."""
    chart = page.locator(".stVerticalBlock[class*=st-key-chart-map]")
    chart.scroll_into_view_if_needed()
    chart.locator('path[aria-label*="Germany"]').click()
