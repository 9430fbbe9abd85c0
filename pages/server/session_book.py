"""Who is signed in, as every part of the dashboard's process knows it: at most SHARED_FOR old.

While the database does not answer, who was signed in stays so, and nobody else gets in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from itsdangerous import BadSignature, Signer

from core.accounts.access import Access, read_access
from core.accounts.identity import WHOEVER_IS_HERE, Identity
from core.accounts.sessions import session_id
from core.deadline import DatabaseUnavailable, database_url
from core.moment import utc_now
from core.settings import settings
from pages.server.shared import Shared

SESSION_COOKIE = "monitor_session"

READ_WITHIN = 7.0
"""Seconds for which a request waits for the book: a little longer than the database may take."""


class Guests(NamedTuple):
    """What the book says. access: None when the database has never answered; fault: why it is old."""

    access: Access | None
    fault: str = ""

    @property
    def must_sign_in(self) -> bool:
        """Whether there is any way to sign in: then nobody gets in without."""
        chosen = settings()
        is_configured = bool(chosen.oidc_issuer or chosen.sign_in_header)
        return is_configured or (self.access is not None and self.access.has_accounts)

    def identity_of(self, cookies: Mapping[str, str]) -> Identity | None:
        """Who sends these cookies; None for somebody who has to sign in first."""
        if self.access is None:
            return None
        if not self.must_sign_in:
            return WHOEVER_IS_HERE
        token = unsigned(cookies.get(SESSION_COOKIE, ""), self.access.secret)
        return self.access.sessions.get(session_id(token)) if token else None


def latest_guests() -> Guests:
    """What the book says now. It may wait for the database: not for the event loop."""
    try:
        shared = _shared_access(database_url())
    except DatabaseUnavailable as error:
        return Guests(None, str(error))
    access, _, fault = shared.latest(utc_now(), 0)
    return Guests(access, fault)


def forget_guests() -> None:
    """Have the book read again, after somebody signed in or out or an account was changed."""
    _shared_access(database_url()).clear()


class SessionBook:
    """The book for the event loop: `latest_guests` on a thread of its own, once for all who wait."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "session book")
        self._reading: asyncio.Future[Guests] | None = None

    async def latest(self, cookies: Mapping[str, str]) -> Guests:
        """What the book says now to whoever has these cookies.

        While the database is away, whom it knows does not wait.
        """
        guests, is_old = _known_guests()
        rounds = 2  # the first may be that of a question from before the last change
        while is_old and rounds and not (guests.fault and guests.identity_of(cookies)):
            await asyncio.wait((self._read(),), timeout=READ_WITHIN)
            guests, is_old = _known_guests()
            rounds -= 1
        if is_old:
            self._read()
        return guests

    def _read(self) -> asyncio.Future[Guests]:
        if self._reading is None or self._reading.done():
            loop = asyncio.get_running_loop()
            self._reading = loop.run_in_executor(self._thread, latest_guests)
        return self._reading


def _known_guests() -> tuple[Guests, bool]:
    """What the book has said last, and whether that is too old."""
    try:
        shared = _shared_access(database_url())
    except DatabaseUnavailable as error:
        return Guests(None, str(error)), False
    access, fault, is_old = shared.known(utc_now())
    return Guests(access, fault), is_old


def signed(token: str, secret: str) -> str:
    """The value of the cookie with this token."""
    return Signer(secret, salt=SESSION_COOKIE).sign(token).decode()


def unsigned(cookie: str, secret: str) -> str:
    """The token in a cookie that this installation has signed, "" in any other."""
    if not (cookie and secret):
        return ""
    try:
        return Signer(secret, salt=SESSION_COOKIE).unsign(cookie.encode()).decode()
    except (BadSignature, UnicodeError):
        return ""


def _shared_access(url: str) -> Shared[Access]:
    return _books.setdefault(url, Shared(read_access))


_books: dict[str, Shared[Access]] = {}
"""By the database's address."""
