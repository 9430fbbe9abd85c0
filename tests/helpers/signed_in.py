"""Accounts for the tests, and who is signed in to them: a cookie, a browser's profile, an HTTP client."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext
from sqlalchemy import Engine

from core.accounts.access import existing_secret
from core.accounts.accounts import Account, add_account, limit_account, set_password
from core.accounts.identity import Role
from core.accounts.passwords import hash_password
from core.accounts.sessions import Way, begin_session
from core.database import writing
from pages.server.session_book import SESSION_COOKIE, signed
from tests.helpers.profiles import STILL

PASSWORD = "nine green kettles"
"""Of every account that these tests make with a password."""

_numbers = count(1)


def make_account(
    engine: Engine,
    name: str = "Ann",
    role: Role = Role.ADMIN,
    *,
    email: str = "",
    password: str = PASSWORD,
    site_ids: Collection[int] | None = None,
) -> Account:
    """A new account, of every site unless given some, with an address of its own unless given one.

    password: "" for an account that has none yet.
    """
    address = email or f"{role.word}{next(_numbers)}@tea.example"
    hashed = _hash_of(password) if password else ""
    with writing(engine) as db:
        account = add_account(db, name, address, role, datetime.now(UTC))
        if hashed:
            set_password(db, account.id, hashed)
        return limit_account(db, account.id, site_ids)


def session_cookie(
    engine: Engine,
    account: Account,
    *,
    way: Way = Way.PASSWORD,
    browser: str = "Chrome, Linux",
    now: datetime | None = None,
) -> str:
    """The value of the cookie of a new session of this account, begun at `now`.

    A dashboard that runs already knows it within two seconds.
    """
    with writing(engine) as db:
        session = begin_session(db, account.id, way, browser, now or datetime.now(UTC))
        return signed(session.token, existing_secret(db))


def signed_in_client(dashboard: str, cookie: str, **options: Any) -> httpx.Client:
    """An HTTP client with this cookie, for paths of the dashboard; it follows no redirect."""
    return httpx.Client(base_url=dashboard, cookies={SESSION_COOKIE: cookie}, **options)


def signed_in_context(
    browser: Browser, dashboard: str, cookie: str, **options: Any
) -> BrowserContext:
    """A browser's profile with this cookie, as signing in gives it."""
    context = browser.new_context(**{"reduced_motion": STILL, **options})
    put_session(context, dashboard, cookie)
    return context


def put_session(context: BrowserContext, dashboard: str, cookie: str) -> None:
    """Give the profile this cookie, in the place of the one that it has."""
    context.add_cookies(
        [
            {
                "name": SESSION_COOKIE,
                "value": cookie,
                "url": dashboard,
                "httpOnly": True,
                "sameSite": "Lax",
            }
        ]
    )


@cache
def _hash_of(password: str) -> str:
    return hash_password(password)
