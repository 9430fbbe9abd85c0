"""What keeps the database small: retention, and on SQLite the checkpoint of its log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from time import monotonic

from sqlalchemy import Engine, delete, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from core.database import writing
from core.moment import from_milliseconds
from core.tables import Table

CHECKPOINT_EVERY = 5.0
"""Seconds; it moves what was committed from SQLite's log into its file."""

FORGET_EVERY = 600.0
"""Seconds between two looks for visits past their retention."""

FORGET_AT_ONCE = 500
"""Visits that one transaction deletes, so that beacons never wait long for it."""

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
        """Do what is due now, at most one short transaction; a fault waits for the next turn."""
        try:
            if self._engine.dialect.name == "sqlite" and monotonic() >= self._checkpoint_at:
                self._checkpoint_at = monotonic() + CHECKPOINT_EVERY
                self._checkpoint()
            if self._retention and monotonic() >= self._forget_at:
                self._forget()
        except SQLAlchemyError as fault:
            self._forget_at = monotonic() + CHECKPOINT_EVERY
            _log.warning("housekeeping waits: fault=%s", fault)

    def _checkpoint(self) -> None:
        """Passive: it never waits for a reader. All others leave checkpoints to this thread."""
        with closing(self._engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _forget(self) -> None:
        forgotten = forget_visits(self._engine, self._clock(), self._retention)
        if forgotten < FORGET_AT_ONCE:
            self._forget_at = monotonic() + FORGET_EVERY
        if forgotten:
            _log.info("visits past retention deleted: visits=%d", forgotten)


def forget_visits(engine: Engine, now: int, retention: timedelta) -> int:
    """Delete the oldest visits past their retention with their page views and spans.

    Returns how many went, at most FORGET_AT_ONCE. The counts of visits stay.
    """
    visit = Table.metadata.tables["visit"]
    before = from_milliseconds(now) - retention
    oldest = (
        select(visit.c.site_id, visit.c.id)
        .where(visit.c.last_activity_at < before)
        .limit(FORGET_AT_ONCE)
    )
    with writing(engine) as connection:
        keys = [(site_id, visit_id) for site_id, visit_id in connection.execute(oldest)]
        if keys:
            for name, column in (
                ("page_view", "visit_id"),
                ("visit_span", "visit_id"),
                ("visit", "id"),
            ):
                table = Table.metadata.tables[name]
                key = tuple_(table.c.site_id, table.c[column])
                connection.execute(delete(table).where(key.in_(keys)))
    return len(keys)
