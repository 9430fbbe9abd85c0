"""The secrets of a day, from which visit ids are derived where a browser keeps none.

Every collector of a database uses the same ones. A day is a day in UTC. Once a salt is gone,
nobody can tell which address and browser an id was derived from.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple

from sqlalchemy import Connection, Engine, delete, exists, select

from core.database import DATABASE_ERRORS, insert_into, reading, writing
from core.database_threads import DatabaseThreads, NoThread
from core.moment import from_milliseconds, milliseconds
from core.tables import Salt, Site, Visit
from core.visits.presence import VISIT_ENDS_AFTER

FOUND_WITHIN = 5.0
"""Seconds that a request waits for the database to give them."""

_DAY = timedelta(days=1)
_DAY_MILLISECONDS = milliseconds(_DAY)
_LATE_DELIVERY = timedelta(minutes=30)
"""An event may arrive this long after it happened: a visit that is over may yet turn out longer."""

_salt = Salt.metadata.tables["salt"]
_site = Site.metadata.tables["site"]
_visit = Visit.metadata.tables["visit"]
_log = logging.getLogger("collector.salts")


class _Known(NamedTuple):
    day: int
    values: tuple[str, ...]


class Salts:
    """Today's salt and, while a visit begun before today may go on, yesterday's."""

    def __init__(self, engine: Engine, threads: DatabaseThreads, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._threads = threads
        self._clock = clock
        self._known = _Known(-1, ())
        self._lock = Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def find(self, now: int) -> tuple[str, ...] | None:
        """The salts of the moment (milliseconds), yesterday's first.

        None when the database does not give them in time. On a new day all requests wait for
        the same query.
        """
        if self.of(now) is None:
            if self._refreshing is None or self._refreshing.done():
                self._refreshing = asyncio.create_task(self._try_to_refresh())
            await asyncio.wait({self._refreshing}, timeout=FOUND_WITHIN)
        return self.of(now)

    def of(self, now: int) -> tuple[str, ...] | None:
        """Those of the moment as they are known now; None: on a new day nobody has read them yet."""
        return self._known.values if self._known.day == now // _DAY_MILLISECONDS else None

    def refresh(self) -> None:
        """Make today's salt if no collector has made it yet, and forget what is not needed."""
        with self._lock:
            now = from_milliseconds(self._clock())
            today = now.replace(hour=0, minute=0, second=0, microsecond=0)
            days = [_name(today - _DAY), _name(today)]
            salts = self._read(days)
            is_settled = days[1] in salts and days[0] not in salts
            if not is_settled:
                with writing(self._engine) as connection:
                    _make(connection, days[1])
                    _forget(connection, days, now, today)
                salts = self._read(days)
            values = tuple(salts[day] for day in days if day in salts)
            self._known = _Known(int(today.timestamp()) * 1_000 // _DAY_MILLISECONDS, values)

    async def _try_to_refresh(self) -> None:
        try:
            await self._threads.run(self.refresh)
        except (*DATABASE_ERRORS, NoThread) as fault:
            _log.warning("salts_not_found fault=%s", type(fault).__name__)

    def _read(self, days: list[str]) -> dict[str, str]:
        with reading(self._engine) as connection:
            rows = connection.execute(select(_salt).where(_salt.c.day.in_(days)))
            return {row.day: row.value for row in rows}


def _name(day: datetime) -> str:
    return day.date().isoformat()


def _make(connection: Connection, day: str) -> None:
    connection.execute(
        insert_into(connection, Salt)
        .values(day=day, value=secrets.token_hex(32))
        .on_conflict_do_nothing()
    )


def _forget(connection: Connection, days: list[str], now: datetime, today: datetime) -> None:
    yesterday = days[0]
    connection.execute(delete(_salt).where(_salt.c.day < yesterday))
    since = now - VISIT_ENDS_AFTER - _LATE_DELIVERY
    if now - today < VISIT_ENDS_AFTER + _LATE_DELIVERY:
        return
    begun_before_today = exists().where(
        _visit.c.site_id == _site.c.id,
        _visit.c.last_activity_at > since,
        _visit.c.started_at < today,
    )
    is_needed = select(_site.c.id).where(begun_before_today).limit(1)
    if connection.execute(is_needed).first() is None:
        connection.execute(delete(_salt).where(_salt.c.day == yesterday))
