"""Accounts, and a browser that speaks to the sign-in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from httpx import Response
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from core.accounts.accounts import Account
from core.accounts.links import make_link
from core.database import writing
from core.settings import settings
from pages.server.gate import Gate
from pages.server.headers import SecurityHeaders
from pages.sign_in.routes import sign_in_routes
from tests.helpers.signed_in import PASSWORD, make_account
from tests.pages.conftest import Database

ADDRESS = "http://monitor.example"
HERE = "http://127.0.0.1"

NewBrowser = Callable[..., TestClient]


def invite(engine: Engine, account: Account) -> str:
    """The secret of a link for the account."""
    with writing(engine) as db:
        return make_link(db, account.id, datetime.now(UTC))


@pytest.fixture
def ann(database: Database) -> Account:
    """The account of ann@shop.example, whose password is PASSWORD."""
    return make_account(database.engine, email="ann@shop.example")


@pytest.fixture
def new_browser(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewBrowser]:
    """Browsers with cookies of their own, all at one dashboard: each behind the address that is given, or
    on the dashboard's own machine."""
    monkeypatch.setenv("MONITOR_TRUSTED_PROXIES", "10.0.0.1")
    monkeypatch.setenv("MONITOR_DASHBOARD_URL", ADDRESS)
    settings.cache_clear()
    app = Starlette(
        routes=sign_in_routes(), middleware=[Middleware(SecurityHeaders), Middleware(Gate)]
    )

    def new_browser(address: str = "192.0.2.1", *, is_here: bool = False) -> TestClient:
        forwarded = {} if is_here else {"X-Forwarded-For": address}
        base = HERE if is_here else ADDRESS
        return TestClient(
            app,
            base_url=base,
            follow_redirects=False,
            headers={"Origin": base, **forwarded},
            client=("10.0.0.1", 4711),
        )

    yield new_browser
    settings.cache_clear()


@pytest.fixture
def browser_at_door(new_browser: NewBrowser) -> TestClient:
    """A browser."""
    return new_browser()


def post(
    browser: TestClient, password: str = PASSWORD, email: str = "ann@shop.example", **more: str
) -> Response:
    """What the dashboard answers to the form of the sign-in page."""
    return browser.post("/sign-in", data={"email": email, "password": password, **more})
