"""Visitor Monitor in a browser: its table, and how often it is drawn anew."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def table(page: Page) -> Locator:
    """The table of active visitors."""
    return page.get_by_role("table", name="Active visitors")


def rows(page: Page) -> Locator:
    """The rows of the table."""
    return table(page).locator("tbody tr")


def ids(page: Page) -> list[str]:
    """The visits in the rows, from the top."""
    return rows(page).evaluate_all("rows => rows.map(row => row.dataset.id)")


def column(page: Page, name: str) -> list[str]:
    """The texts of a column, from the top."""
    return rows(page).locator(f"td[data-name={name}]").all_inner_texts()


def refresh_every(page: Page, choice: str) -> None:
    """Choose how often the page is drawn anew; the pointer ends in a corner."""
    page.get_by_role("combobox", name="Refresh").click()
    chosen = page.get_by_role("option", name=choice, exact=True)
    chosen.click()
    expect(chosen).to_be_hidden()  # the list takes the focus back when it closes
    page.mouse.move(0, 0)


def wait_for_refresh(page: Page, times: int = 1) -> None:
    """Wait until the page has shown newer pictures this many times."""
    for _ in range(times):
        before = page.get_by_text("Updated ").inner_text()
        expect(page.get_by_text("Updated ")).not_to_have_text(before, timeout=30_000)
