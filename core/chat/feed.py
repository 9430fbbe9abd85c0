"""What has changed in the chats, as soon as it is committed, whichever process wrote it.

Postgres notifies the feed; a SQLite file is queried four times a second. Either way there is one
thread for a process, however many streams wait for it, and one indexed query each time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from threading import Event, Thread
from typing import Any, cast

import psycopg
from sqlalchemy import Engine

from core.chat.queries import Changes, changes_since, newest_revision
from core.chat.store import CHANNEL
from core.database import DATABASE_ERRORS, reading

LOOK_EVERY = 0.25
"""Seconds between two queries to a database that cannot notify."""

LOOK_ANYWAY = 1.0
"""Seconds after which Postgres is queried without a notification: one may have been lost."""

_STOPS_WITHIN = 5.0
_log = logging.getLogger("core.chat.feed")

Wait = Callable[[], object]


class Feed:
    """Calls `on_changes` on a thread of its own, with what has a revision above the last one seen.

    It begins after the revision `start_at`; without one, after the newest when it first reaches the
    database. While the database is away nothing is missed: the next query finds all of it.
    """

    def __init__(
        self, engine: Engine, on_changes: Callable[[Changes], None], start_at: int | None = None
    ) -> None:
        self._engine = engine
        self._on_changes = on_changes
        self._revision = start_at
        self._stop = Event()
        self._thread = Thread(target=self._run, name="chat feed", daemon=True)
        self._fault = ""

    def start(self) -> None:
        """Begin to follow the database."""
        self._thread.start()

    def stop(self) -> None:
        """End after the query that is under way."""
        self._stop.set()
        self._thread.join(_STOPS_WITHIN)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._waiting() as wait:
                    self._follow(wait)
            except (*DATABASE_ERRORS, psycopg.Error) as fault:
                self._set_fault(type(fault).__name__)
                self._stop.wait(LOOK_ANYWAY)

    def _follow(self, wait: Wait) -> None:
        while not self._stop.is_set():
            self._query()
            self._set_fault("")
            wait()

    def _query(self) -> None:
        with reading(self._engine) as db:
            if self._revision is None:
                self._revision = newest_revision(db)
            changes = changes_since(db, self._revision)
        if changes.revision > self._revision:
            self._revision = changes.revision
            self._call_back(changes)

    def _call_back(self, changes: Changes) -> None:
        try:
            self._on_changes(changes)
        except Exception as fault:
            _log.error("chat_changes_not_told fault=%s", type(fault).__name__)

    @contextmanager
    def _waiting(self) -> Generator[Wait]:
        """What waits until the next query: for a notification, or for a moment."""
        if self._engine.dialect.name != "postgresql":
            yield lambda: self._stop.wait(LOOK_EVERY)
            return
        raw = self._engine.raw_connection()
        listener = cast(psycopg.Connection[Any], raw.driver_connection)
        raw.detach()  # it listens for good, and never goes back to the pool
        with closing(listener):
            listener.autocommit = True
            listener.execute(f"LISTEN {CHANNEL}")
            yield lambda: list(listener.notifies(timeout=LOOK_ANYWAY, stop_after=1))

    def _set_fault(self, fault: str) -> None:
        """Log when the database begins to fail, and when it is back: not each time in between."""
        if fault != self._fault:
            self._fault = fault
            if fault:
                _log.warning("chat_feed_fails fault=%s", fault)
            else:
                _log.info("chat_feed_is_back")
