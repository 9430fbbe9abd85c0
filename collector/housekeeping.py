"""What keeps the database small: retention, and on SQLite the checkpoint of its log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy import Table as SchemaTable

from core.database import writing
from core.moment import from_milliseconds
from core.tables import Table

CHECKPOINT_EVERY = 5.0
"""Seconds; it moves what was committed from SQLite's log into its file."""

FORGET_EVERY = 600.0
"""Seconds between two looks for visits past their retention."""

FORGET_AT_ONCE = 500
"""Visits of a site that one transaction deletes, so that beacons never wait long for it."""

_log = logging.getLogger("collector.housekeeping")


class Housekeeping:
    """Chores of the writer's thread, done between two batches."""

    def __init__(self, engine: Engine, retention_days: int, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._retention = timedelta(days=retention_days)
        self._clock = clock
        self._checkpoint_at = monotonic() + CHECKPOINT_EVERY
        self._forget_at = 0.0

    def do_due(self) -> None:
        """Do what is due now, at most one short transaction; after a fault it is due again later."""
        if self._engine.dialect.name == "sqlite" and monotonic() >= self._checkpoint_at:
            self._checkpoint_at = monotonic() + CHECKPOINT_EVERY
            self._checkpoint()
        if self._retention and monotonic() >= self._forget_at:
            self._forget_at = monotonic() + CHECKPOINT_EVERY
            self._forget()

    def _checkpoint(self) -> None:
        """Passive: it never waits for a reader. All others leave checkpoints to this thread."""
        with closing(self._engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _forget(self) -> None:
        forgotten = forget_visits(self._engine, self._clock(), self._retention)
        self._forget_at = monotonic() + (FORGET_EVERY if forgotten < FORGET_AT_ONCE else 0)
        if forgotten:
            _log.info("visits past retention deleted: visits=%d", forgotten)


def forget_visits(engine: Engine, now: int, retention: timedelta) -> int:
    """Delete the visits past their retention with their page views and spans.

    Returns how many went, at most FORGET_AT_ONCE of each site. The counts of visits stay.
    """
    before = from_milliseconds(now) - retention
    with writing(engine) as connection:
        sites = connection.execute(select(_table("site").c.id)).scalars().all()
        return sum(_forget_of_site(connection, site_id, before) for site_id in sites)


def _forget_of_site(connection: Connection, site_id: int, before: datetime) -> int:
    visit = _table("visit")
    oldest = (
        select(visit.c.id)
        .where(visit.c.site_id == site_id, visit.c.last_activity_at < before)
        .limit(FORGET_AT_ONCE)
    )
    ids = connection.execute(oldest).scalars().all()
    if ids:
        for name, key in (("page_view", "visit_id"), ("visit_span", "visit_id"), ("visit", "id")):
            table = _table(name)
            of_visits = (table.c.site_id == site_id, table.c[key].in_(ids))
            connection.execute(delete(table).where(*of_visits))
    return len(ids)


def _table(name: str) -> SchemaTable:
    return Table.metadata.tables[name]
