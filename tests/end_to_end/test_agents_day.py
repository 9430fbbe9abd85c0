"""An agent's whole job by keyboard alone: real collector, database and dashboard, and visitors in browsers.

Nothing here clicks or sets the focus: each step is a key, and the next step begins where the focus is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.helpers.collector_process import CollectorProcess
from tests.helpers.dialog import Dialog
from tests.helpers.live_page import rows
from tests.helpers.profiles import open_profiles
from tests.helpers.running_dashboard import running_dashboard

SITE = "demo"
VISITORS_AT = ("/cart", "/guide", "/products/wave-cup")
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
MOST_STOPS = 60

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    collector = CollectorProcess(tmp_path_factory.mktemp("day"), [SITE])
    collector.start()
    yield collector
    collector.stop()


@pytest.fixture(scope="module")
def dashboard(collector: CollectorProcess) -> Iterator[str]:
    with running_dashboard(collector.url, has_collector=False) as address:
        yield address


@pytest.fixture(scope="module")
def visitors(browser: Browser, collector: CollectorProcess) -> Iterator[dict[str, Page]]:
    """The visitors' pages, by their paths in the shop."""
    with open_profiles(browser) as make:
        pages = {path: make(user_agent=CHROME).new_page() for path in VISITORS_AT}
        for path, page in pages.items():
            page.goto(f"http://127.0.0.1:{collector.port}/demo{path}")
        yield pages


@pytest.fixture
def agent(
    make_context: Callable[..., BrowserContext], dashboard: str, visitors: dict[str, Page]
) -> Page:
    """An agent without a name yet, who has opened Visitor Monitor and touched nothing."""
    page = make_context(viewport={"width": 1366, "height": 768}).new_page()
    page.goto(f"{dashboard}/?site={SITE}")
    expect(rows(page)).to_have_count(len(visitors))
    return page


def test_agent_does_the_whole_job_by_keyboard(agent: Page, visitors: dict[str, Page]) -> None:
    keys = agent.keyboard
    keys.press("Tab")
    expect(agent.get_by_role("link", name="Skip to the visitors")).to_be_focused()
    keys.press("Enter")
    expect(link(rows(agent).first)).to_be_focused()

    guide = row(agent, "/guide")
    move_to(agent, guide)
    keys.press("Enter")
    panel = agent.get_by_role("region", name="Visitor", exact=True)
    expect(panel).to_be_focused()
    expect(panel).to_contain_text("Now on /demo/guide")
    keys.press("Escape")
    expect(panel).to_have_count(0)
    expect(link(guide)).to_be_focused()

    keys.press("i")
    invitation = agent.get_by_role("dialog", name="Invite to a chat")
    type_into(agent, invitation.get_by_role("textbox", name="Your name"), "Ann")
    press(agent, invitation.get_by_role("button", name="Save name"))
    type_into(agent, invitation.get_by_role("textbox", name="Invitation"), "May I help?")
    press(agent, invitation.get_by_role("button", name="Send", exact=True))
    expect(invitation).to_contain_text("Delivered")
    expect(invitation).to_be_focused()
    keys.press("Escape")
    expect(invitation).to_have_count(0)
    expect(guide.locator("button.action")).to_be_focused()

    visitor = Dialog(visitors["/guide"])
    visitor.until_lines("May I help?")
    visitor.button("Chat").click()
    expect(guide).to_contain_text("Open chat")
    expect(guide.get_by_role("button", name="Open chat")).to_be_focused()
    listed = agent.url
    keys.press("Enter")
    agent.wait_for_url(re.compile(rf"/chats\?site={SITE}&conversation="))

    visitor.say("Is it loose tea?")
    log = agent.get_by_role("log")
    expect(log).to_contain_text("Is it loose tea?")
    type_into(agent, agent.get_by_role("textbox", name="Message"), "It is: r and c.")
    keys.press("Enter")
    visitor.until_lines("May I help?", "Is it loose tea?", "It is: r and c.")
    visitor.say("Thank you!")
    expect(log).to_contain_text("Thank you!")
    press(agent, agent.get_by_role("button", name="End", exact=True))
    expect(agent.get_by_role("button", name="Keep")).to_be_focused()
    press(agent, agent.get_by_role("button", name="End chat"))
    visitor.until_note("This chat has ended.")

    agent.go_back()  # the browser's own key is out of a test's reach
    agent.wait_for_url(listed)
    expect(guide).to_contain_text("Browsing")


@pytest.mark.long
def test_agent_searches_and_switches_the_keys_by_keyboard(agent: Page) -> None:
    keys = agent.keyboard
    search = agent.get_by_role("searchbox")
    listed = agent.get_by_role("dialog", name="Keys")
    keys.press("/")
    expect(search).to_be_focused()
    keys.type("rc")
    expect(agent.get_by_text("No visitor matches")).to_be_visible()
    expect(search).to_have_value("rc")
    keys.press("Control+A")
    keys.type("/guide")
    expect(rows(agent)).to_have_count(1)
    tab_to(agent, link(row(agent, "/guide")))

    keys.press("?")
    expect(listed).to_be_visible()
    tab_to(agent, listed.get_by_role("checkbox", name="Use these keys"))
    keys.press("Space")
    keys.press("Escape")
    expect(link(row(agent, "/guide"))).to_be_focused()
    for key in ("r", "c", "i", "/", "?"):
        keys.press(key)
    expect(agent.get_by_role("dialog")).to_have_count(0)
    expect(link(row(agent, "/guide"))).to_be_focused()

    agent.reload()
    expect(rows(agent)).to_have_count(1)
    press(agent, agent.get_by_role("button", name="Keys", exact=True))
    tab_to(agent, listed.get_by_role("checkbox", name="Use these keys"))
    keys.press("Space")
    keys.press("Escape")
    keys.press("j")
    expect(link(row(agent, "/guide"))).to_be_focused()


def link(row: Locator) -> Locator:
    return row.locator("a.link")


def row(page: Page, path: str) -> Locator:
    return rows(page).filter(has_text=f"/demo{path}")


def has_focus(node: Locator) -> bool:
    return node.evaluate("node => node.matches(':focus')")


def move_to(page: Page, row: Locator) -> None:
    """Walk down the rows with `j`, from the first one."""
    for _ in range(rows(page).count()):
        if has_focus(link(row)):
            return
        page.keyboard.press("j")
    expect(link(row)).to_be_focused()


def tab_to(page: Page, wanted: Locator) -> None:
    """Press the tab key until it is there."""
    expect(wanted).to_be_visible()
    for _ in range(MOST_STOPS):
        if has_focus(wanted):
            return
        page.keyboard.press("Tab")
    expect(wanted).to_be_focused()


def type_into(page: Page, field: Locator, text: str) -> None:
    """Go to the field and write the text, in place of what is in it."""
    tab_to(page, field)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def press(page: Page, button: Locator) -> None:
    """Go to the button and press it."""
    tab_to(page, button)
    page.keyboard.press("Enter")
