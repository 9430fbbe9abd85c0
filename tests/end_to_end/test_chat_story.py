"""The whole story with two real browsers: a visitor in the demo shop, an agent at the dashboard.

Screenshots are kept where MONITOR_TEST_ARTIFACTS says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.helpers.collector_process import CollectorProcess
from tests.helpers.profiles import STILL
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.screens import keep_screenshot

WITHIN = 30_000
"""Milliseconds in which a page must show what is awaited; the machine may be busy."""

SITE = "demo"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
HOSTILE = "<img src=http://evil.example/a onerror=alert(1)> ![x](http://evil.example/b)"
SIZES = {"wide": (1440, 1000), "phone": (390, 844)}

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    collector = CollectorProcess(tmp_path_factory.mktemp("story"), [SITE])
    collector.start()
    yield collector
    collector.stop()


@pytest.fixture(scope="module")
def dashboard(collector: CollectorProcess) -> Iterator[str]:
    with running_dashboard(collector.url) as address:
        yield address


@dataclass
class StoryVisitor:
    """A visitor's browser in the shop."""

    page: Page
    shop: str

    def go(self, path: str) -> None:
        """Open a page of the shop, as a link would."""
        self.page.goto(f"{self.shop}/demo{path}")

    def says(self, text: str) -> None:
        """Write a message and send it."""
        box = self.page.get_by_role("textbox", name="message")
        box.fill(text)
        box.press("Enter")

    def sees(self, text: str) -> None:
        """Wait for the text, which must be there once."""
        expect(self.page.get_by_text(text, exact=True)).to_have_count(1, timeout=WITHIN)


@dataclass
class StoryAgent:
    """An agent's browser at the dashboard."""

    page: Page
    dashboard: str

    def look(self) -> Locator:
        """The visitors' rows of the site."""
        self.page.goto(f"{self.dashboard}/?site={SITE}")
        return self.page.get_by_role("table", name="Active visitors").locator("tbody tr")

    def row_on(self, path: str) -> Locator:
        """The row of the visitor on this page of the shop."""
        return self.look().filter(has_text=path)

    def is_called(self, name: str) -> None:
        """Fill in the form for the name."""
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("textbox", name="Your name").fill(name)
        dialog.get_by_role("button", name="Save name").click()

    def invites(self, text: str) -> None:
        """Send the invitation in the dialog."""
        dialog = self.page.get_by_role("dialog")
        box = dialog.get_by_role("textbox", name="Invitation")
        expect(box).to_be_visible(timeout=WITHIN)
        box.fill(text)
        dialog.get_by_role("button", name="Send").click()

    def says(self, text: str) -> None:
        """Write a message in the open conversation and send it."""
        box = self.page.get_by_role("textbox", name="message")
        box.fill(text)
        box.press("Enter")

    def sees(self, text: str) -> None:
        """Wait for the text, which must be in the conversation once."""
        log = self.page.get_by_role("log")
        expect(log.get_by_text(text, exact=True)).to_have_count(1, timeout=WITHIN)

    def card(self, label: str) -> Locator:
        """The number on a card."""
        return self.page.locator(f".number:has(.label:text-is('{label}')) .value")


MakeProfile = Callable[..., BrowserContext]


@pytest.fixture
def make_context(browser: Browser) -> Iterator[MakeProfile]:
    """Makes browser profiles; no page may throw or send a request to another server."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def make(size: str, theme: str) -> BrowserContext:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,  # pyright: ignore[reportArgumentType]
            reduced_motion=STILL,
            user_agent=CHROME,
        )
        context.set_default_timeout(WITHIN)
        context.on("weberror", lambda error: faults.append(str(error.error)))
        context.on("request", lambda request: _note_foreign(request.url, faults))
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def pair(make_context: MakeProfile, collector: CollectorProcess, dashboard: str):
    """pair(size, theme): a visitor and an agent, each in a browser profile of its own."""

    def pair(size: str = "wide", theme: str = "light") -> tuple[StoryVisitor, StoryAgent]:
        shop = f"http://127.0.0.1:{collector.port}"
        visitor = StoryVisitor(make_context(size, theme).new_page(), shop)
        return visitor, StoryAgent(make_context(size, theme).new_page(), dashboard)

    return pair


@pytest.mark.parametrize(
    "size, theme, first, then",
    [
        ("wide", "light", "/cart", "/checkout/shipping"),
        ("phone", "dark", "/search", "/checkout/payment"),
    ],
)
def test_agent_invites_and_both_talk(pair, size: str, theme: str, first: str, then: str) -> None:
    visitor, agent = pair(size, theme)
    visitor.go(first)
    row = agent.row_on(f"/demo{first}")
    row.get_by_role("button", name="Invite").click()
    agent.is_called("Ann")
    agent.invites("Can I help you?")

    visitor.sees("Can I help you?")
    expect(agent.page.get_by_text("The visitor sees the invitation.")).to_be_visible()
    keep_screenshot(visitor.page, f"chat-invitation-{size}-{theme}")
    visitor.page.get_by_role("button", name="Chat", exact=True).click()
    visitor.says("Is it dishwasher safe?")

    _sees_chatting(agent, row)
    agent.page.get_by_role("dialog").get_by_text("Open the chat").click()
    agent.sees("Is it dishwasher safe?")
    agent.says(HOSTILE)
    visitor.sees(HOSTILE)
    visitor.says(HOSTILE[::-1])
    agent.sees(HOSTILE[::-1])
    keep_screenshot(visitor.page, f"chat-conversation-{size}-{theme}")
    keep_screenshot(agent.page, f"chats-{size}-{theme}")

    visitor.page.reload()
    visitor.sees(HOSTILE)
    visitor.go(then)
    visitor.sees("Is it dishwasher safe?")
    visitor.says("After the reload")
    agent.sees("After the reload")

    agent.page.get_by_role("button", name="End", exact=True).click()
    agent.page.get_by_role("button", name="End chat").click()
    expect(visitor.page.get_by_text("This chat has ended.")).to_be_visible()
    row = agent.row_on(f"/demo{then}")
    expect(row).to_contain_text("Browsing")
    expect(agent.card("Chatting")).to_have_text("0")


def test_visitor_declines(pair) -> None:
    visitor, agent = pair()
    visitor.go("/collections/tea")
    agent.row_on("/demo/collections/tea").get_by_role("button", name="Invite").click()
    agent.is_called("Bob")
    agent.invites("Any questions about tea?")
    visitor.sees("Any questions about tea?")

    visitor.page.get_by_role("button", name="No, thanks").click()

    expect(visitor.page.get_by_text("Any questions about tea?")).to_have_count(0)
    expect(agent.page.get_by_role("dialog").get_by_text("Dismissed", exact=True)).to_be_visible()
    visitor.page.reload()
    visitor.page.wait_for_timeout(1_500)
    expect(visitor.page.get_by_text("Any questions about tea?")).to_have_count(0)


@pytest.mark.long
def test_talk_goes_on_over_a_restart_of_the_collector(pair, collector: CollectorProcess) -> None:
    visitor, agent = pair()
    visitor.go("/guide")
    agent.row_on("/demo/guide").get_by_role("button", name="Invite").click()
    agent.is_called("Cleo")
    agent.invites("Before the fall")
    visitor.sees("Before the fall")
    visitor.page.get_by_role("button", name="Chat", exact=True).click()
    visitor.says("I am here")
    agent.page.get_by_role("dialog").get_by_text("Open the chat").click()
    agent.sees("I am here")

    collector.kill()
    visitor.says("while nobody listens")
    agent.says("written while it is down")
    agent.sees("written while it is down")
    collector.start()

    visitor.sees("written while it is down")
    agent.sees("while nobody listens")
    agent.says("and on")
    visitor.sees("and on")


def test_two_tabs_show_the_same_conversation(pair) -> None:
    visitor, agent = pair()
    visitor.go("/products/wave-cup")
    agent.row_on("/demo/products/wave-cup").get_by_role("button", name="Invite").click()
    agent.is_called("Dora")
    agent.invites("Nice cup")
    visitor.sees("Nice cup")
    visitor.page.get_by_role("button", name="Chat", exact=True).click()
    visitor.says("from the first tab")

    second = StoryVisitor(visitor.page.context.new_page(), visitor.shop)
    second.go("/products/reed-cup")
    second.sees("from the first tab")
    second.says("from the second tab")
    visitor.sees("from the second tab")
    agent.page.get_by_role("dialog").get_by_text("Open the chat").click()
    agent.sees("from the first tab")
    agent.says("to both")
    visitor.sees("to both")
    second.sees("to both")


def _sees_chatting(agent: StoryAgent, row: Locator) -> None:
    """Row and cards agree, though the page refreshes every 30 seconds only."""
    expect(row).to_contain_text("Chatting", timeout=WITHIN // 2)
    expect(agent.card("Chatting")).to_have_text("1")


def _note_foreign(url: str, faults: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
        faults.append(f"asked {url}")
