"""The heartbeats of the collectors: by them a dashboard knows that visitors are recorded."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, or_, select
from sqlmodel import col

from core.database import insert_into
from core.moment import lasts_for
from core.tables import Collector
from core.visits.liveness import is_plausible

BEATS_EVERY = timedelta(seconds=10)
"""Between two heartbeats of a collector."""

SILENT_AFTER = timedelta(seconds=60)
"""Without a heartbeat: from here on nobody is recorded, as far as anybody can tell."""

CONFIRMED_AFTER = timedelta(seconds=15)
"""A collector that records gives a heartbeat within this time, whatever its clock says."""

KEPT_FOR = timedelta(hours=1)
"""For so long the heartbeat of a collector that has ended is kept."""


class CollectorLoad(NamedTuple):
    """How a collector is: the columns of these names in docs/schema.md."""

    queued: int
    commit_ms: int
    reader_since: datetime | None
    reader: str = ""


AT_REST = CollectorLoad(0, 0, None)


class Heartbeat(NamedTuple):
    """A collector, new at each start, and the moment of its newest heartbeat by its own clock."""

    collector: str
    seen_at: datetime


def record_heartbeat(
    db: Connection,
    collector: str,
    version: str,
    started_at: datetime,
    now: datetime,
    load: CollectorLoad = AT_REST,
) -> None:
    """Record that this collector can write, and forget those that have ended long ago."""
    state = {"seen_at": now, **load._asdict()}
    insert = insert_into(db, Collector).values(
        id=collector, version=version, started_at=started_at, **state
    )
    db.execute(insert.on_conflict_do_update(index_elements=["id"], set_=state))
    seen_at = col(Collector.seen_at)
    is_old = or_(~lasts_for(KEPT_FOR, seen_at, now), ~is_plausible(seen_at, now))
    db.execute(delete(Collector).where(col(Collector.id) != collector, is_old))


def heartbeats(db: Connection) -> frozenset[Heartbeat]:
    """The newest heartbeat of each collector; empty: none has ever written here."""
    statement = select(col(Collector.id), col(Collector.seen_at))
    return frozenset(Heartbeat(*row) for row in db.execute(statement))


def list_collectors(db: Connection) -> list[Collector]:
    """The collectors of the last hour and the last one ever, with how each was; the newest first."""
    statement = select(Collector).order_by(col(Collector.seen_at).desc(), col(Collector.id))
    return [Collector.of(row) for row in db.execute(statement).mappings()]


class Silence(NamedTuple):
    """No collector records; `since`: its last heartbeat, None when there is none or its clock was wrong."""

    since: datetime | None
    has_recorded: bool


class HeartbeatWatch:
    """Whether a collector records, from what one process has seen of the heartbeats.

    The clock of a heartbeat, and the one that reads it, may have jumped or differ. So a heartbeat that is
    fresh by the clock is believed, an old one only after nothing has changed for CONFIRMED_AFTER; and
    whatever the clocks say, nothing new for SILENT_AFTER is silence.
    """

    def __init__(self) -> None:
        self._seen: frozenset[Heartbeat] | None = None
        self._since = 0.0
        self._looked_at = 0.0
        self._has_changed = False
        self._heard_late = timedelta()

    def look(self, found: frozenset[Heartbeat], now: datetime, at: float) -> Silence | None:
        """The silence at `now`, or None; `at`: seconds of a clock that never jumps."""
        was_away = at - self._looked_at >= SILENT_AFTER.total_seconds()
        is_watched = self._seen is not None and not was_away
        self._looked_at = at
        if found != self._seen or was_away:
            self._seen, self._since, self._has_changed = found, at, is_watched
            if is_watched:
                self._heard_late = now - max((each.seen_at for each in found), default=now)
                return None
        return _silence(found, now) if self._is_silent(found, now, at - self._since) else None

    @property
    def heard_late(self) -> timedelta | None:
        """How old the newest heartbeat was by the clock when it was seen to come; None: it was only found."""
        return self._heard_late if self._has_changed else None

    def forget(self) -> None:
        """Begin anew: the database was away, and no collector could write."""
        self._seen = None

    def _is_silent(self, found: frozenset[Heartbeat], now: datetime, unchanged: float) -> bool:
        if unchanged >= SILENT_AFTER.total_seconds():
            return True
        is_fresh = any(
            each.seen_at <= now and lasts_for(SILENT_AFTER, each.seen_at, now) for each in found
        )
        is_confirmed = unchanged >= CONFIRMED_AFTER.total_seconds()
        return is_confirmed and not is_fresh and not self._has_changed


def _silence(found: frozenset[Heartbeat], now: datetime) -> Silence:
    past = [each.seen_at for each in found if each.seen_at <= now]
    return Silence(max(past, default=None), bool(found))
