"""What keeps the database in order: retention, chats that are over, and SQLite's checkpoints."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from math import inf
from time import monotonic
from typing import NamedTuple

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy import Table as SchemaTable

from core.chat.closing import close_due
from core.chat.retention import forget_conversations, forget_messages
from core.database import lock_visits, writing
from core.moment import from_milliseconds
from core.tables import Table
from core.visits.path_backlog import make_some_paths_readable

CHECKPOINT_EVERY = 5.0
"""Seconds; it moves what was committed from SQLite's log into its file."""

FORGET_EVERY = 600.0
"""Seconds between two searches for visits past their retention."""

FORGET_AT_ONCE = 500
"""Visits of a site that one transaction deletes, so that beacons never wait long for it."""

CLOSE_CHATS_EVERY = 5.0
"""Seconds between two searches for conversations that are over by themselves."""

READ_PATHS_EVERY = 0.25
"""Seconds between two bites of the paths that an earlier version has stored, while there are any."""

READ_PATHS_AT_ONCE = 200
"""Visits of which one transaction makes the paths readable: some 10 ms."""

_log = logging.getLogger("collector.housekeeping")


class Retention(NamedTuple):
    """For how many days visits, and the text of chats, are kept; 0 keeps everything."""

    visit_days: int
    chat_days: int


class Housekeeping:
    """Chores of the writer's thread, done between two batches."""

    def __init__(self, engine: Engine, retention: Retention, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._retention = timedelta(days=retention.visit_days)
        self._chat_retention = timedelta(days=retention.chat_days)
        self._clock = clock
        self._checkpoint_at = monotonic() + CHECKPOINT_EVERY
        self._forget_at = 0.0
        self._forget_chats_at = 0.0
        self._close_chats_at = 0.0
        self._read_paths_at = 0.0

    def do_due(self) -> None:
        """Do what is due now, at most one short transaction; after a fault it is due again later."""
        if self._engine.dialect.name == "sqlite" and monotonic() >= self._checkpoint_at:
            self._checkpoint_at = monotonic() + CHECKPOINT_EVERY
            self._checkpoint()
        if self._retention and monotonic() >= self._forget_at:
            self._forget_at = monotonic() + CHECKPOINT_EVERY
            self._forget()
        if self._chat_retention and monotonic() >= self._forget_chats_at:
            self._forget_chats_at = monotonic() + CHECKPOINT_EVERY
            self._forget_chats()
        if monotonic() >= self._close_chats_at:
            self._close_chats_at = monotonic() + CLOSE_CHATS_EVERY
            self._close_chats()
        if monotonic() >= self._read_paths_at:
            self._read_paths_at = monotonic() + CHECKPOINT_EVERY
            self._read_paths()

    def _checkpoint(self) -> None:
        """Passive: it never waits for a reader. No other thread or process checkpoints."""
        with closing(self._engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _forget(self) -> None:
        forgotten = forget_visits(self._engine, self._clock(), self._retention)
        self._forget_at = monotonic() + (FORGET_EVERY if forgotten < FORGET_AT_ONCE else 0)
        if forgotten:
            _log.info("visits past retention deleted: visits=%d", forgotten)

    def _forget_chats(self) -> None:
        forgotten = forget_chats(self._engine, self._clock(), self._chat_retention)
        self._forget_chats_at = monotonic() + (FORGET_EVERY if forgotten < FORGET_AT_ONCE else 0)
        if forgotten:
            _log.info("chat messages past retention deleted: messages=%d", forgotten)

    def _close_chats(self) -> None:
        with writing(self._engine) as connection:
            close_due(connection, from_milliseconds(self._clock()))

    def _read_paths(self) -> None:
        with writing(self._engine) as connection:
            lock_visits(connection)
            is_more = make_some_paths_readable(connection, READ_PATHS_AT_ONCE)
        self._read_paths_at = monotonic() + READ_PATHS_EVERY if is_more else inf


def forget_visits(engine: Engine, now: int, retention: timedelta) -> int:
    """Delete the visits past their retention with their page views, spans and conversations.

    Returns how many went, at most FORGET_AT_ONCE of each site. The counts of visits stay.
    """
    before = from_milliseconds(now) - retention
    with writing(engine) as connection:
        sites = connection.execute(select(_table("site").c.id)).scalars().all()
        return sum(_forget_of_site(connection, site_id, before) for site_id in sites)


def forget_chats(engine: Engine, now: int, retention: timedelta) -> int:
    """Delete the messages past their retention; returns how many, at most FORGET_AT_ONCE a site."""
    before = from_milliseconds(now) - retention
    with writing(engine) as connection:
        sites = connection.execute(select(_table("site").c.id)).scalars().all()
        return sum(forget_messages(connection, site, before, FORGET_AT_ONCE) for site in sites)


def _forget_of_site(connection: Connection, site_id: int, before: datetime) -> int:
    visit = _table("visit")
    oldest = (
        select(visit.c.id)
        .where(visit.c.site_id == site_id, visit.c.last_activity_at < before)
        .limit(FORGET_AT_ONCE)
    )
    ids = connection.execute(oldest).scalars().all()
    if ids:
        forget_conversations(connection, site_id, ids)
        for name, key in (("page_view", "visit_id"), ("visit_span", "visit_id"), ("visit", "id")):
            table = _table(name)
            of_visits = (table.c.site_id == site_id, table.c[key].in_(ids))
            connection.execute(delete(table).where(*of_visits))
    return len(ids)


def _table(name: str) -> SchemaTable:
    return Table.metadata.tables[name]
