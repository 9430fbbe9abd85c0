"""The table by keyboard: the skip link, single-letter keys, and the choice of columns."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.live_page import refresh_every, rows, table
from tests.helpers.screens import keep_screenshot
from tests.pages.live.conftest import OpenSite

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def open_table(open_site: OpenSite, key: str = "three", count: int = 3, **screen: int) -> Page:
    page = open_site(key, **screen)
    expect(rows(page)).to_have_count(count)
    refresh_every(page, "Paused")
    page.locator("body").evaluate("() => document.activeElement.blur()")
    return page


def link(page: Page, position: int):
    return rows(page).nth(position).get_by_role("link")


def test_first_tab_stop_skips_to_the_visitors(open_site: OpenSite) -> None:
    page = open_site("three")
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the visitors")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(link(page, 0)).to_be_focused()
    page.goto(page.url.replace("?", "sites?"))
    expect(page.get_by_role("heading", name="Sites").first).to_be_visible()
    expect(skip).to_have_count(0)


def test_keys_move_search_and_open(open_site: OpenSite) -> None:
    page = open_table(open_site)
    page.keyboard.press("j")
    expect(link(page, 0)).to_be_focused()
    page.keyboard.press("j")
    expect(link(page, 1)).to_be_focused()
    page.keyboard.press("k")
    expect(link(page, 0)).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    visit = rows(page).nth(0).get_attribute("data-id")
    link(page, 0).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**visit*={visit}*")


def test_key_invites_the_visitor_in_focus(open_site: OpenSite) -> None:
    page = open_table(open_site)
    page.keyboard.press("j")
    page.keyboard.press("i")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    close = dialog.get_by_role("button", name="Close")
    close.focus()
    for key in ("j", "/", "?"):
        page.keyboard.press(key)
    expect(close).to_be_focused()


def test_letters_that_are_typed_are_no_keys_nor_streamlits_hotkeys(open_site: OpenSite) -> None:
    page = open_table(open_site)
    page.evaluate(
        "() => { window.heard = ''; document.addEventListener('keydown', e => { heard += e.key }) }"
    )
    page.keyboard.type("rc")
    assert page.evaluate("heard") == ""
    page.get_by_role("searchbox").focus()
    page.keyboard.type("rcjki?/")
    expect(page.get_by_role("searchbox")).to_have_value("rcjki?/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.get_by_role("searchbox").fill("")
    expect(rows(page)).to_have_count(3)
    link(page, 1).focus()
    page.evaluate("heard = ''")
    for key in ("r", "c", "j", "Control+j"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == "Controlj"
    expect(link(page, 2)).to_be_focused()


@pytest.mark.parametrize("path, width", [("", 1440), ("sites", 390), ("chats", 1440)])
def test_streamlits_hotkeys_sleep_on_every_page(open_site: OpenSite, path: str, width: int) -> None:
    page = open_site("three", path=path, width=width)
    page.wait_for_function(
        "Symbol.for('visitor-monitor-chats') in window"
    )  # the scripts are loaded
    # Streamlit's hear what comes up to the document.
    page.evaluate(
        "() => { window.heard = ''; document.addEventListener('keydown', e => { heard += e.key }) }"
    )
    for key in ("r", "c", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == "Escape"


def test_list_of_the_keys_opens_and_gives_the_focus_back(open_site: OpenSite) -> None:
    page = open_table(open_site)
    link(page, 1).focus()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_be_visible()
    expect(keys.get_by_text("Next visitor")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect(link(page, 1)).to_be_focused()


def test_keys_go_on_when_back_has_taken_their_open_list_away(open_site: OpenSite) -> None:
    page = open_table(open_site)
    page.get_by_role("combobox", name="Site").click()
    page.get_by_role("option", name="Tea shop").click()
    expect(rows(page)).to_have_count(25)
    page.get_by_role("button", name="Keys", exact=True).click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.go_back()
    expect(rows(page)).to_have_count(3)
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)
    page.locator("body").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("j")
    expect(link(page, 0)).to_be_focused()


def test_keys_can_be_switched_off_for_good(open_site: OpenSite) -> None:
    page = open_table(open_site)
    page.get_by_role("button", name="Keys", exact=True).click()
    keep_screenshot(page, "live-keys")
    page.get_by_role("checkbox", name="Use these keys").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    expect(rows(page)).to_have_count(3)
    page.get_by_role("button", name="Keys", exact=True).focus()
    for key in ("j", "/", "?"):
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Keys", exact=True)).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_columns_are_chosen_by_keyboard_and_kept_by_the_browser(open_site: OpenSite) -> None:
    page = open_table(open_site)
    menu = page.locator("summary").filter(has_text="Columns")
    menu.focus()
    page.keyboard.press("Enter")
    browser = page.get_by_role("checkbox", name="Browser")
    expect(page.get_by_role("checkbox", name="Current Page")).to_have_count(0)
    browser.focus()
    page.keyboard.press("Space")
    heads = table(page).locator("th")
    expect(heads.filter(has_text="Browser")).to_be_hidden()
    expect(rows(page).locator("td[data-name=browser]").first).to_be_hidden()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(browser).to_be_hidden()
    page.reload()
    expect(rows(page)).to_have_count(3)
    expect(heads.filter(has_text="Browser")).to_be_hidden()
    expect(heads.filter(has_text="Country")).to_be_visible()


def test_cards_of_a_phone_leave_out_the_hidden_columns(open_site: OpenSite) -> None:
    page = open_table(open_site, width=390, height=844)
    page.locator("summary").filter(has_text="Columns").click()
    page.get_by_role("checkbox", name="Country").uncheck()
    expect(rows(page).locator("td[data-name=country]").first).to_be_hidden()
    expect(rows(page).locator("td[data-name=page_count]").first).to_be_visible()
    page.get_by_role("heading", name="Visitor Monitor").click()
    expect(page.get_by_role("checkbox", name="Country")).to_be_hidden()
