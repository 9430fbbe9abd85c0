"""Whether an e-mail address and a password are right: slowed, one at a time, and as long for every answer.

Whoever tries secrets of links is slowed in the same way, by the same count of their network.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import NamedTuple

from starlette.requests import Request

from core.accounts.accounts import Account, find_by_email, folded_email
from core.accounts.links import find_link
from core.accounts.passwords import hash_password, is_password
from core.client import Clients
from core.deadline import DatabaseUnavailable, read, read_async
from core.moment import utc_now
from core.settings import settings
from pages.server.sign_in_log import sign_in_log
from pages.server.unavailable import RETRY_AFTER as DATABASE_RETRY_AFTER
from pages.sign_in.attempts import Attempt, Attempts, origin_of
from pages.sign_in.device_cookie import device_of
from pages.sign_in.password_queue import RETRY_AFTER, PasswordQueue, QueueFull
from pages.sign_in.sign_in_fault import SignInFault

LOGGED_EVERY = 60.0
"""Seconds between two lines of the log about wrong passwords: a flood must not fill it."""

_LINKS = ""
"""All links together count as one account, which no e-mail address names: a secret that is tried has none."""

_OF_A_LINK = (1.0,)
"""More urgent than all attempts but those of known browsers: a link's secret is not guessed."""


class SignInRefusal(NamedTuple):
    """Why the attempt let nobody in; retry_after: seconds, 0 when it may be made again at once."""

    fault: SignInFault
    retry_after: int = 0


class PasswordCheck:
    """The attempts of this process."""

    def __init__(self) -> None:
        self._attempts = Attempts()
        self._queue = PasswordQueue()
        self._clients = Clients(settings().trusted_proxies, warn=lambda _name: None)
        self._failed = 0
        self._logged_at = -LOGGED_EVERY

    async def check(
        self, request: Request, email: str, password: str, secret: str
    ) -> Account | SignInRefusal:
        """The account whose these are, with the hash of this password. secret: what signs the cookies."""
        if not (email and password):
            return SignInRefusal(SignInFault.EMPTY)
        counted = folded_email(email) or email.lower()  # however they write it
        attempt = self._begin(request, counted, device_of(request, counted, secret))
        if attempt.retry_after:
            return SignInRefusal(SignInFault.TOO_OFTEN, attempt.retry_after)
        await asyncio.sleep(attempt.wait)
        try:
            checking = partial(_account, email, password)
            account = await self._queue.run(checking, attempt.urgency)
        except (QueueFull, DatabaseUnavailable) as fault:
            self._attempts.forget(attempt, time.monotonic())
            if isinstance(fault, QueueFull):
                return SignInRefusal(SignInFault.BUSY, RETRY_AFTER)
            return SignInRefusal(SignInFault.DATABASE_AWAY, DATABASE_RETRY_AFTER)
        if account is None:
            self._log_failure()
            return SignInRefusal(SignInFault.WRONG)
        self._attempts.succeed(attempt, time.monotonic())
        return account

    async def find_link(self, request: Request, secret: str) -> Account | SignInRefusal | None:
        """The account whose link has this secret, as often as one likes; None when there is no such link."""
        attempt = self._begin(request, _LINKS)
        if attempt.retry_after:
            return SignInRefusal(SignInFault.TOO_OFTEN, attempt.retry_after)
        await asyncio.sleep(attempt.wait)
        try:
            account = await read_async(lambda db: find_link(db, secret, utc_now()))
        except DatabaseUnavailable:
            self._attempts.forget(attempt, time.monotonic())
            return SignInRefusal(SignInFault.DATABASE_AWAY, DATABASE_RETRY_AFTER)
        if account is not None:
            # Not `succeed`: a link of one's own must not free one to try others.
            self._attempts.forget(attempt, time.monotonic())
        return account

    async def hash(self, password: str) -> str:
        """The hash of a new password. Raises QueueFull."""
        return await self._queue.run(partial(hash_password, password), _OF_A_LINK)

    def _begin(self, request: Request, account: str, device: str = "") -> Attempt:
        peer = request.client.host if request.client else ""
        forwarded = ",".join(request.headers.getlist("x-forwarded-for")).encode("latin-1")
        origin = origin_of(self._clients.find(peer, forwarded or None), device)
        return self._attempts.begin(origin, account, time.monotonic())

    def _log_failure(self) -> None:
        self._failed += 1
        now = time.monotonic()
        if now - self._logged_at >= LOGGED_EVERY:
            sign_in_log.warning("sign_in_failed attempts=%d", self._failed)
            self._failed, self._logged_at = 0, now


def _account(email: str, password: str) -> Account | None:
    account = read(lambda db: find_by_email(db, email))
    is_right = is_password(account.agent.password if account else "", password)
    return account if is_right else None
