"""The requests, websockets and streams that are open, each as long as whoever has it may have it.

Who it is and what they may do was asked when it was opened. What changes then ends it within 5 s: the
book is at most 1.8 s old, and is looked at every CHECK_EVERY. A page then connects anew by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from core.accounts.identity import Identity
from core.accounts.sessions import mark_sessions_seen
from core.deadline import DatabaseUnavailable, write_async
from core.moment import utc_now
from pages.server.session_book import Guests, SessionBook

CHECK_EVERY = 1.5
"""Seconds between two looks whether they may stay open."""

SEEN_EVERY = 300.0
"""Seconds between two notes that a session is in use: it ends after days without."""

_log = logging.getLogger("pages.gate")


@dataclass(eq=False)
class Connection:
    """One that is open. identity: None while the database has never been read."""

    cookies: Mapping[str, str]
    identity: Identity | None
    until_ended: asyncio.Timeout

    def is_allowed(self, guests: Guests) -> bool:
        """Whether whoever has it is still the same and may do the same."""
        if guests.access is None:
            return True
        now = guests.identity_of(self.cookies)
        self.identity = self.identity or now
        return now is not None and now == self.identity

    def end(self) -> None:
        """Have what serves it stop."""
        self.until_ended.reschedule(asyncio.get_running_loop().time())


class OpenConnections:
    """All of this process. Used on the event loop only."""

    def __init__(self, book: SessionBook) -> None:
        self._book = book
        self._open: set[Connection] = set()
        self._checking: asyncio.Task[None] | None = None
        self._noting: asyncio.Task[None] | None = None
        self._seen_at: dict[str, float] = {}

    @contextmanager
    def opened(
        self, cookies: Mapping[str, str], identity: Identity | None, until_ended: asyncio.Timeout
    ) -> Generator[None]:
        """While it lasts, the connection is open; `until_ended` is made to expire when it may not stay."""
        connection = Connection(cookies, identity, until_ended)
        self._open.add(connection)
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check_while_open(), name="gate")
        try:
            yield
        finally:
            self._open.discard(connection)

    async def _check_while_open(self) -> None:
        self._note_in_use()
        while self._open:
            await asyncio.sleep(CHECK_EVERY)
            try:
                await self._check()
            except Exception as fault:
                _log.warning("connections_not_checked fault=%s", type(fault).__name__)

    async def _check(self) -> None:
        guests = await self._book.latest({})
        for connection in tuple(self._open):
            if not connection.is_allowed(guests):
                connection.end()
        self._note_in_use()

    def _note_in_use(self) -> None:
        """Note the sessions of open connections as seen, each at most every SEEN_EVERY; nothing waits for it."""
        now = monotonic()
        ids = {each.identity.session_id for each in self._open if each.identity}
        due = [id for id in ids if id and now - self._seen_at.get(id, -SEEN_EVERY) >= SEEN_EVERY]
        if due:
            kept = {id: at for id, at in self._seen_at.items() if now - at < SEEN_EVERY}
            self._seen_at = kept | dict.fromkeys(due, now)
            self._noting = asyncio.create_task(_note(due), name="sessions noted")


async def _note(ids: Sequence[str]) -> None:
    try:
        await write_async(lambda db: mark_sessions_seen(db, ids, utc_now()))
    except DatabaseUnavailable:
        _log.warning("sessions_not_noted sessions=%s", len(ids))
