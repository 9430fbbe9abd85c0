"""Accounts and Your account in a browser: every state in both themes, by keyboard, on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Engine

from core.accounts.accounts import find_by_email
from core.accounts.identity import Role
from core.accounts.links import make_link
from core.agents import add_agent
from core.database import reading, writing
from tests.helpers.axe import assert_axe_finds_nothing_serious
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.seed import make_database, make_site
from tests.helpers.signed_in import make_account, session_cookie, signed_in_context

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

HOSTILE = "<img src=x onerror=alert(1)> **b**"
LONG = "Cleopatra-Wilhelmina von Hohenfeld-Ostwa"
OpenAs = Callable[..., Page]


@dataclass(frozen=True)
class TeamDashboard:
    """A dashboard with forty accounts. cookies: of the admin's two browsers."""

    address: str
    engine: Engine
    cookies: tuple[str, str]


@dataclass(frozen=True)
class Shown:
    """A page in one of its states: the text by which it is known, and how to get there."""

    name: str
    path: str
    landmark: str
    act: Callable[[Page], None] = field(default=lambda page: None)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamDashboard]:
    url, engine = make_database(tmp_path_factory.mktemp("accounts"))
    now = datetime.now(UTC)
    site = make_site(engine, key="tea", name="Tea shop")
    make_site(engine, key="cups", name="<b>Cups</b> & bowls of the harbour")
    admin = make_account(engine, "Ann", email="ann@tea.example")
    ben = make_account(engine, "Ben", Role.AGENT, email="ben@tea.example", site_ids=[site.id or 0])
    long = make_account(engine, LONG, Role.VIEWER, email=f"{'c' * 60}@tea.example", password="")
    make_account(engine, HOSTILE, Role.VIEWER, password="")
    for number in range(36):
        make_account(engine, f"Colleague {number:02}", Role.AGENT, password="")
    for account, browser, days in (
        (admin, "Safari, iPhone", 2),
        (ben, "Firefox, Windows", 1),
        (ben, "Chrome, Linux", 0),
    ):
        session_cookie(engine, account, browser=browser, now=now - timedelta(days=days))
    with writing(engine) as db:
        make_link(db, long.id, now)
        add_agent(db, HOSTILE, now)
    cookies = session_cookie(engine, admin), session_cookie(engine, admin)
    with running_dashboard(url) as address:
        yield TeamDashboard(address, engine, cookies)
    engine.dispose()


@pytest.fixture
def open_as(browser: Browser, team: TeamDashboard) -> Iterator[OpenAs]:
    """Opens a page of the dashboard with this cookie; its browser must have nothing to complain of."""
    contexts: list[BrowserContext] = []
    warnings: list[str] = []

    def open_as(cookie: str, path: str, width: int = 1440) -> Page:
        context = signed_in_context(
            browser, team.address, cookie, viewport={"width": width, "height": 900}
        )
        contexts.append(context)
        context.on("weberror", lambda error: warnings.append(str(error.error)))
        page = context.new_page()
        page.goto(f"{team.address}/{path}")
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert warnings == []


def open_account(page: Page, name: str) -> None:
    """Open the dialog of the account with this name."""
    heading = page.get_by_role("heading", name=name)
    member = page.locator("[class*=st-key-member-]").filter(has=heading)
    member.get_by_role("button", name="Change").click()


def open_bens(tab: str) -> Callable[[Page], None]:
    """Open Ben's dialog at this tab."""

    def act(page: Page) -> None:
        open_account(page, "Ben")
        page.get_by_role("tab", name=tab).click()

    return act


def lower_own_role(page: Page) -> None:
    open_account(page, "Ann")
    page.get_by_role("dialog").get_by_text("Viewer", exact=True).click()


def begin_invitation(page: Page) -> None:
    page.get_by_role("button", name="Invite a colleague").click()


def renew_link(page: Page) -> None:
    open_account(page, HOSTILE)
    page.get_by_role("tab", name="Password").click()
    page.get_by_role("button", name="Make a new link").click()


def fail_to_change_password(page: Page) -> None:
    for label in ("Password now", "New password", "New password again"):
        page.get_by_role("textbox", name=label, exact=True).fill("another wrong one")
    page.get_by_role("button", name="Change password").click()


STATES = (
    Shown("accounts", "accounts", "Agents without an account"),
    Shown("account, role", "accounts", "Only some sites", open_bens("Role and sites")),
    Shown("account, browsers", "accounts", "Firefox, Windows", open_bens("Browsers")),
    Shown("account, password", "accounts", "Reset the password", open_bens("Password")),
    Shown("account, remove", "accounts", "I want to remove", open_bens("Remove")),
    Shown("own role", "accounts", "This is your own account", lower_own_role),
    Shown("invitation of a colleague", "accounts", "Make the account and", begin_invitation),
    Shown("link", "accounts", "Send this link to", renew_link),
    Shown("own account", "account", "Where you are signed in"),
    Shown("wrong password", "account", "Not saved.", fail_to_change_password),
)


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_axe_finds_nothing_serious_about_accounts(
    open_as: OpenAs, team: TeamDashboard, state: Shown, width: int
) -> None:
    page = open_as(team.cookies[0], state.path, width)
    expect(page.get_by_test_id("stMainBlockContainer").locator("h1")).to_be_visible()
    state.act(page)
    expect(page.get_by_text(state.landmark).locator("visible=true").first).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    assert_axe_finds_nothing_serious(page, f"accounts {state.name}")


def test_colleague_is_invited_by_keyboard_alone(open_as: OpenAs, team: TeamDashboard) -> None:
    page = open_as(team.cookies[0], "accounts")
    page.get_by_role("button", name="Invite a colleague").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Invite a colleague")
    name = dialog.get_by_role("textbox", name="Name", exact=True)
    tab_to(page, name)
    page.keyboard.type("Fay")
    tab_to(page, dialog.get_by_role("textbox", name="E-mail address"))
    page.keyboard.type("fay@tea.example")
    tab_to(page, dialog.get_by_role("radio", name="Agent"))
    page.keyboard.press("ArrowUp")
    expect(dialog.get_by_role("radio", name="Viewer")).to_be_checked()
    tab_to(page, dialog.get_by_role("button", name="Make the account and its link"))
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("/sign-in/link?secret=")).to_be_visible()
    tab_to(page, dialog.get_by_role("button", name="Done"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Fay")).to_be_visible()
    with reading(team.engine) as db:
        invited = find_by_email(db, "fay@tea.example")
    assert invited is not None and invited.role == Role.VIEWER


def tab_to(page: Page, target: Any) -> None:
    """Press Tab until it has the focus."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {target}")


def test_browser_signs_itself_out(open_as: OpenAs, team: TeamDashboard) -> None:
    page = open_as(team.cookies[1], "account")
    page.locator(".st-key-sign-out-own-account").get_by_role("button").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto(f"{team.address}/accounts")
    expect(page.get_by_role("textbox", name="E-mail address")).to_be_visible()
