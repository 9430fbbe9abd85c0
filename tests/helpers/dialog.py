"""The chat as a visitor sees and uses it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from core.tables import Conversation
from tests.helpers.agent_at_work import AgentAtWork
from tests.helpers.shop import WITHIN, Shop

expect.set_options(timeout=WITHIN * 1000)


class Dialog:
    """The dialog on a page, found by the names that a screen reader announces."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.element = page.locator("visitor-monitor-chat")
        self.card = self.element.get_by_role("dialog")
        self.log = self.element.get_by_role("log")
        self.field = self.element.get_by_role("textbox", name="Message")
        self.note = self.element.get_by_role("status")
        self.pill = self.element.locator(".pill")
        self.lines = self.element.locator(".line span")

    def button(self, name: str) -> Locator:
        return self.element.get_by_role("button", name=name, exact=True)

    def say(self, text: str) -> None:
        """Write it and press Enter."""
        self.field.press_sequentially(text)
        self.field.press("Enter")

    def until_lines(self, *texts: str) -> None:
        """Wait until the log shows exactly these messages."""
        expect(self.lines).to_have_text(list(texts), use_inner_text=False)

    def until_note(self, text: str) -> None:
        expect(self.note).to_have_text(text)

    def until_pill(self, text: str) -> None:
        """Wait until the button that opens it shows the text."""
        expect(self.pill).to_be_visible()
        expect(self.pill).to_have_text(text, use_inner_text=True)

    def until_visible(self) -> None:
        expect(self.card).to_be_visible()
        expect(self.button("Minimise").or_(self.button("Close")).first).to_be_visible()

    def until_gone(self) -> None:
        expect(self.button("Minimise")).to_be_hidden()
        expect(self.button("Close")).to_be_hidden()
        expect(self.pill).to_be_hidden()


def texts(shop: Shop) -> list[str]:
    """The stored messages of the shop's only conversation, in order."""
    rows = shop.rows("SELECT text FROM message WHERE site_id = :site ORDER BY number")
    return [row["text"] for row in rows]


def say(shop: Shop, dialog: Dialog, text: str) -> None:
    """Send the text as the visitor, and wait until it is stored."""
    dialog.say(text)
    shop.until(lambda: text in texts(shop))


def send_beacon(page: Page) -> None:
    """Make the script send a beacon now, as when the visitor comes back to the window."""
    page.evaluate("dispatchEvent(new Event('focus'))")


def until_offered(shop: Shop, page: Page, dialog: Dialog) -> None:
    """Wait until the collector's offer has made the dialog or its button appear."""

    def is_there() -> bool:
        return dialog.button("Minimise").is_visible() or dialog.pill.is_visible()

    until_beacon_brings(shop, page, is_there)


def until_beacon_brings(shop: Shop, page: Page, is_there: Callable[[], object]) -> None:
    """Send beacons until an answer has made the condition true."""

    def is_brought() -> object:
        send_beacon(page)
        page.wait_for_timeout(400)
        return is_there()

    shop.until(is_brought)


def invited(shop: Shop, page: Page, agent: AgentAtWork, text: str = "Can I help?") -> Dialog:
    """The dialog with an invitation, on the shop's first page."""
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    agent.invite(shop, text)
    dialog = Dialog(page)
    until_beacon_brings(shop, page, dialog.lines.first.is_visible)
    return dialog


def chatting(shop: Shop, page: Page, agent: AgentAtWork) -> tuple[Dialog, Conversation]:
    """An accepted invitation, and its conversation."""
    dialog = invited(shop, page, agent)
    dialog.button("Chat").click()
    shop.until(lambda: agent.conversation(shop).state == "open")
    return dialog, agent.conversation(shop)
