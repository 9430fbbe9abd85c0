"""The preview of the chat dialog: the dialog itself, as an owner's settings make it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from core.tables import ChatLook
from pages.sites.dialog_preview import preview_page

LOOK = ChatLook(
    site_id=1,
    title="Tea & </script> counter",
    greeting="Which <!--<script> tea?",
    colour="#00796b",
    corner="left",
    words={"de": {"send": "Los"}},
)


@pytest.fixture
def page(make_context: Callable[..., BrowserContext]) -> Page:
    return make_context().new_page()


@pytest.mark.parametrize(("scheme", "canvas"), [("light", 255), ("dark", 18)])
def test_preview_is_the_dialog_in_its_colours(page: Page, scheme: str, canvas: int) -> None:
    page.set_content(preview_page(LOOK, "de", scheme))
    dialog = page.locator("visitor-monitor-chat")
    expect(dialog.locator(".line span")).to_have_text(
        ["Which <!--<script> tea?", "Nachricht", "Es dauert etwas länger. Danke für Ihre Geduld."]
    )
    card = dialog.get_by_role("dialog")
    expect(card).to_have_css("background-color", f"rgb({canvas}, {canvas}, {canvas})")
    send = dialog.get_by_role("button", name="Los")
    expect(send).to_have_css("background-color", "rgb(0, 121, 107)")


def test_what_is_written_in_the_preview_goes_nowhere_and_its_end_is_seen(page: Page) -> None:
    page.set_content(preview_page(LOOK, "en", "light"))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    dialog = page.locator("visitor-monitor-chat")
    dialog.get_by_role("textbox", name="Message").fill("Green")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog.locator(".line span").last).to_have_text("Green")
    dialog.get_by_role("button", name="End", exact=True).click()
    dialog.get_by_role("button", name="End chat").click()
    expect(dialog.get_by_text("How was this chat?")).to_be_visible()
    assert sent == []
