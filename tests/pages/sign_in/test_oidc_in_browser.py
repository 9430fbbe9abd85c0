"""Signing in by OpenID Connect in a real browser, at a real dashboard and a real provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import Engine

from core.accounts.accounts import find_by_email, remove_account
from core.accounts.identity import Role
from core.database import reading, writing
from tests.helpers.live_page import rows
from tests.helpers.oidc_issuer import RunningIssuer, running_issuer, settings_for
from tests.helpers.running_collector import wait_for
from tests.helpers.running_dashboard import running_dashboard
from tests.helpers.screens import keep_screenshot
from tests.helpers.seed import make_database, make_site, make_visits
from tests.helpers.signed_in import make_account

DRAWN_WITHIN = 60_000
"""Milliseconds until a page is there, on a machine that has much else to do."""

BY_ISSUER = "Sign in with your organisation"
ENDS_WITHIN = 10
PHONE = {"width": 390, "height": 800}

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def issuer() -> Iterator[RunningIssuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Any:
    url, engine = make_database(tmp_path_factory.mktemp("oidc"))
    make_account(engine, "Owner", email="owner@shop.example")
    make_visits(engine, make_site(engine, key="tea", name="Tea shop"), 3, now=datetime.now(UTC))
    return url, engine


@pytest.fixture(scope="module")
def engine(database: Any) -> Engine:
    return database[1]


@pytest.fixture(scope="module")
def dashboard(database: Any, issuer: RunningIssuer) -> Iterator[str]:
    chosen = settings_for(
        issuer, MONITOR_OIDC_ALLOWED="@shop.example", MONITOR_OIDC_ROLE_CLAIM="groups"
    )
    with running_dashboard(database[0], **chosen) as address:
        yield address


def at_issuer(page: Page, address: str) -> None:
    """Open the address without a session, and go on to where one signs in."""
    page.goto(address)
    page.get_by_role("link", name=BY_ISSUER).click()
    expect(page.get_by_role("heading", name="Authorize Client")).to_be_visible()


def sign_in(page: Page, address: str, sub: str) -> None:
    at_issuer(page, address)
    page.get_by_placeholder("sub").fill(sub)
    page.get_by_role("button", name="Authorize", exact=True).click()


def test_colleague_comes_back_from_the_issuer_to_the_page_that_they_wanted(
    dashboard: str, issuer: RunningIssuer, engine: Engine, make_context: Callable[..., Any]
) -> None:
    issuer.person("ann", groups=["staff", "agent"])
    page = make_context().new_page()
    sign_in(page, f"{dashboard}/?site=tea&q=e", "ann")

    expect(rows(page).first).to_be_visible(timeout=DRAWN_WITHIN)
    assert page.url.startswith(f"{dashboard}/?")
    assert "site=tea" in page.url
    assert "q=e" in page.url
    with reading(engine) as db:
        ann = find_by_email(db, "ann@shop.example")
    assert ann is not None
    assert ann.role is Role.AGENT


def test_who_says_no_at_the_issuer_is_back_at_the_sign_in_page(
    dashboard: str, make_context: Callable[..., BrowserContext]
) -> None:
    page = make_context().new_page()
    at_issuer(page, f"{dashboard}/chats")
    page.get_by_role("button", name="Deny").click()

    expect(page.get_by_role("alert")).to_have_text(
        "You have not signed in at your sign-in service, or it did not let you."
    )
    expect(page.get_by_role("link", name=BY_ISSUER)).to_have_attribute(
        "href", r"/sign-in/oidc?next=%2Fchats"
    )


def test_stranger_is_told_whom_to_ask(
    dashboard: str, issuer: RunningIssuer, make_context: Callable[..., BrowserContext]
) -> None:
    issuer.person("eve", email="eve@elsewhere.example", groups=["agent"])
    page = make_context(viewport=PHONE).new_page()
    sign_in(page, dashboard, "eve")

    expect(page.get_by_role("alert")).to_contain_text("Ask an admin to invite you.")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        keep_screenshot(page, f"oidc-stranger-390-{theme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.goto(f"{dashboard}/chats")
    expect(page.get_by_role("link", name=BY_ISSUER)).to_be_visible()


def test_who_is_removed_is_led_out_and_not_let_in_again(
    dashboard: str,
    issuer: RunningIssuer,
    engine: Engine,
    make_context: Callable[..., BrowserContext],
) -> None:
    issuer.person("bob", groups="agent")
    page = make_context().new_page()
    sign_in(page, f"{dashboard}/?site=tea", "bob")
    expect(rows(page).first).to_be_visible(timeout=DRAWN_WITHIN)
    with writing(engine) as db:
        bob = find_by_email(db, "bob@shop.example")
        assert bob is not None
        remove_account(db, bob.id)

    wait_for(lambda: page.goto(dashboard) and "/sign-in" in page.url, ENDS_WITHIN)
    sign_in(page, dashboard, "bob")
    expect(page.get_by_role("alert")).to_contain_text("Your account was removed.")
