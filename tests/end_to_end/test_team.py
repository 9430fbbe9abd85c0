"""A team at one dashboard: real collector and dashboard, its first account, a colleague, and their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.helpers.collector_process import CollectorProcess
from tests.helpers.dialog import Dialog
from tests.helpers.live_page import rows
from tests.helpers.profiles import open_profiles
from tests.helpers.running_collector import CHROME
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.screens import keep_screenshot
from tests.helpers.signed_in import PASSWORD

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

ANN, BEN = "ann@tea.example", "ben@tea.example"
BENS_PASSWORD = "seven blue teapots"


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    collector = CollectorProcess(tmp_path_factory.mktemp("team"), ["demo"])
    collector.start()
    yield collector
    collector.stop()


@pytest.fixture(scope="module")
def dashboard(collector: CollectorProcess) -> Iterator[str]:
    with running_dashboard(collector.url, has_collector=False) as address:
        yield address


@pytest.fixture(scope="module")
def visitor(browser: Browser, collector: CollectorProcess) -> Iterator[Page]:
    """A visitor of the demo shop."""
    with open_profiles(browser) as make:
        page = make(user_agent=CHROME).new_page()
        page.goto(f"http://127.0.0.1:{collector.port}/demo/guide")
        yield page


@pytest.fixture
def open_page(make_context: Callable[..., BrowserContext], dashboard: str) -> Callable[[str], Page]:
    """Opens an address of the dashboard in a browser of its own."""

    def open_page(address: str = "") -> Page:
        page = make_context(viewport={"width": 1366, "height": 900}).new_page()
        page.goto(address if "://" in address else f"{dashboard}/{address}")
        return page

    return open_page


def test_team_begins_grows_and_loses_a_colleague(
    open_page: Callable[..., Page], visitor: Page
) -> None:
    onlooker = open_page()
    expect(rows(onlooker)).to_have_count(1)

    ann = open_page("accounts")
    make_first_account(ann)
    asked_to_sign_in(ann)
    asked_to_sign_in(onlooker)
    sign_in(ann, ANN, PASSWORD)
    expect(ann.get_by_text("1 account")).to_be_visible()

    ben = open_page(invite(ann, "Ben", BEN))
    ben.get_by_label("New password").fill(BENS_PASSWORD)
    ben.get_by_role("button", name="Save and sign in").click()
    expect(rows(ben)).to_have_count(1)
    chat(ben, visitor)

    change_role(ann, "Ben", "Viewer")
    expect(ben.get_by_role("log")).to_have_count(0)
    expect(ben.get_by_text("Only agents and admins may do this.").first).to_be_visible()
    keep_screenshot(ben, "team-chats-as-a-viewer")
    ben.get_by_role("link", name="Visitor Monitor").click()
    expect(rows(ben)).to_have_count(1)

    sign_out(ann, "Ben")
    asked_to_sign_in(ben)
    sign_in(ben, BEN, BENS_PASSWORD)
    expect(rows(ben)).to_have_count(1)

    remove(ann, "Ben")
    asked_to_sign_in(ben)
    sign_in(ben, BEN, BENS_PASSWORD)
    expect(ben.get_by_role("alert")).to_be_visible()
    asked_to_sign_in(ben)


def make_first_account(page: Page) -> None:
    main = page.get_by_role("main")
    main.get_by_role("textbox", name="Your name").fill("Ann")
    main.get_by_role("textbox", name="Your e-mail address").fill(ANN)
    main.get_by_role("textbox", name="Password", exact=True).fill(PASSWORD)
    main.get_by_role("textbox", name="Password again").fill(PASSWORD)
    main.get_by_role("button", name="Make the account").click()


def asked_to_sign_in(page: Page) -> None:
    """The page has become the sign-in page by itself."""
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_count(0)


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def invite(page: Page, name: str, email: str) -> str:
    """Invite a colleague as an agent; the address of the link."""
    page.get_by_role("button", name="Invite a colleague").click()
    dialog = page.get_by_role("dialog", name="Invite a colleague")
    dialog.get_by_role("textbox", name="Name", exact=True).fill(name)
    dialog.get_by_role("textbox", name="E-mail address").fill(email)
    dialog.get_by_role("button", name="Make the account and its link").click()
    link = dialog.locator("code").inner_text()
    keep_screenshot(page, "team-link")
    dialog.get_by_role("button", name="Done").click()
    return link


def chat(page: Page, visitor: Page) -> None:
    """Invite the visitor, and talk to them."""
    rows(page).first.get_by_role("button", name="Invite").click()
    invitation = page.get_by_role("dialog", name="Invite to a chat")
    invitation.get_by_role("textbox", name="Invitation").fill("May I help?")
    invitation.get_by_role("button", name="Send", exact=True).click()
    dialog = Dialog(visitor)
    dialog.until_lines("May I help?")
    dialog.button("Chat").click()
    page.keyboard.press("Escape")
    rows(page).first.get_by_role("button", name="Open chat").click()
    dialog.say("Is it loose tea?")
    expect(page.get_by_role("log")).to_contain_text("Is it loose tea?")


def open_account(page: Page, name: str) -> Any:
    """The dialog of the account with this name."""
    member = page.locator("[class*=st-key-member-]").filter(has_text=name)
    member.get_by_role("button", name="Change").click()
    return page.get_by_role("dialog", name="Change account")


def change_role(page: Page, name: str, role: str) -> None:
    dialog = open_account(page, name)
    dialog.get_by_text(role, exact=True).click()
    expect(dialog.get_by_role("radio", name=role)).to_be_checked()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)


def sign_out(page: Page, name: str) -> None:
    dialog = open_account(page, name)
    dialog.get_by_role("tab", name="Browsers").click()
    dialog.get_by_role("button", name="Sign out", exact=True).click()
    expect(dialog.get_by_text("No browser is signed in.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def remove(page: Page, name: str) -> None:
    dialog = open_account(page, name)
    dialog.get_by_role("tab", name="Remove").click()
    dialog.get_by_text("I want to remove this account").click()
    dialog.get_by_role("button", name="Remove the account").click()
    expect(dialog).to_have_count(0)
