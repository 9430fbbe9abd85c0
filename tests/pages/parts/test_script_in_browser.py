"""The components' scripts in a browser, with the dashboard below a path of its host."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.helpers.collector_heartbeats import heartbeats_of_a_collector
from tests.helpers.live_page import refresh_every, wait_for_refresh
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database, make_site, make_visits

LOADED = """() => performance.getEntriesByType("resource")
    .filter(({ name }) => name.includes("/scripts/"))
    .map(({ name, transferSize }) => [name, transferSize])"""

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url, engine = make_database(tmp_path_factory.mktemp("scripts"))
    make_visits(engine, make_site(engine, key="tea"), 3, now=datetime.now(UTC))
    with heartbeats_of_a_collector(url), running_dashboard(url, below="monitor") as address:
        yield address


def expect_table(page: Page) -> None:
    rows = page.get_by_role("table", name="Active visitors").locator("tbody tr")
    expect(rows).to_have_count(3, timeout=60_000)
    expect(page.locator(".moment-line").get_by_role("status")).to_have_text("Live", timeout=60_000)


def test_page_below_a_path_is_live_and_keeps_its_scripts(make_context: Any, dashboard: str) -> None:
    page = make_context().new_page()
    page.goto(f"{dashboard}/?site=tea")
    expect_table(page)
    first = dict(page.evaluate(LOADED))
    assert len(first) >= 3
    assert all(name.startswith(f"{dashboard}/scripts/") for name in first)
    page.reload()
    expect_table(page)
    assert page.evaluate(LOADED) == [[name, 0] for name in dict(page.evaluate(LOADED))]


def test_script_that_could_not_be_loaded_is_tried_again(make_context: Any, dashboard: str) -> None:
    failed: list[str] = []

    def fail_twice(route: Route) -> None:
        if len(failed) == 2:
            route.continue_()
        else:
            failed.append(route.request.url)
            route.abort()

    page = make_context().new_page()
    page.route("**/scripts/visitor_monitor_table-*", fail_twice)
    page.goto(f"{dashboard}/?site=tea")
    expect_table(page)
    assert len(failed) == 2


def test_script_that_comes_after_the_next_refresh_draws_once_for_all(
    make_context: Any, dashboard: str
) -> None:
    held: list[Route] = []
    page = make_context().new_page()
    page.route("**/scripts/visitor_monitor_table-*", lambda route: held.append(route))
    page.goto(f"{dashboard}/?site=tea")
    expect(page.locator(".moment-line")).to_be_visible(timeout=60_000)
    refresh_every(page, "2 s")
    wait_for_refresh(page)
    refresh_every(page, "Paused")
    expect(page.locator(".moment-line").get_by_role("status")).to_have_text("Paused")
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning")
    for route in held:
        route.continue_()
    rows = page.get_by_role("table", name="Active visitors").locator("tbody tr")
    expect(rows).to_have_count(3)
