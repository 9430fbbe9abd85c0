"""The heartbeats of a collector, where a test needs nothing else of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Event, Thread

from sqlalchemy import Engine

from core.database import DATABASE_ERRORS, open_database, writing
from core.heartbeat import record_heartbeat

BEATS_EVERY = 3.0
"""Seconds: more often than a collector, so that none is missed after a database was away."""


@contextmanager
def heartbeats_of_a_collector(database_url: str) -> Iterator[None]:
    """While it lasts, dashboards see that a collector records; not while the database is away."""
    engine, is_over = open_database(database_url), Event()
    thread = Thread(target=_beat, args=(engine, is_over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        engine.dispose()


def give_heartbeat(engine: Engine, now: datetime) -> None:
    """One heartbeat, of that moment."""
    with writing(engine) as db:
        record_heartbeat(db, "test", "1.2.3", now, now)


def _beat(engine: Engine, is_over: Event) -> None:
    while True:
        with suppress(*DATABASE_ERRORS):
            give_heartbeat(engine, datetime.now(UTC))
        if is_over.wait(BEATS_EVERY):
            return
