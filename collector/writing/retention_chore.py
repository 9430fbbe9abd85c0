"""Retention: visits and what was said in chats go when they are past their time, in bites with pauses."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, Engine, select
from sqlmodel import col

from collector.writing.bite_pace import LONGEST_PAUSE, BitePace
from collector.writing.checkpoints import Checkpoints
from collector.writing.free_space import FreeSpace
from collector.writing.write_load import WriteLoad
from core.chat.retention import forget_messages
from core.chore_runs import ChoreName, record_chore_run
from core.database import writing
from core.locks import TAKE_WITHIN, take_sites
from core.moment import from_milliseconds
from core.removal import delete_visits
from core.rollups.site_counts import count_state, note_thinned
from core.sites import list_sites
from core.tables import Site, Visit

FORGET_EVERY = 600.0
"""Seconds between two searches for what is past its retention."""

WAIT_FOR_COUNTS = 5.0
"""The same, while visits wait to be counted: that may take minutes after an upgrade."""

FORGET_AT_ONCE = 200
"""Visits, or messages, that one transaction deletes at most, so that beacons never wait long for it."""

SITES_AT_ONCE = 5
"""The most sites of which one transaction deletes something: of each a chunk is written anew."""

_log = logging.getLogger("collector.housekeeping")


class Retention(NamedTuple):
    """For how many days visits, and the text of chats, are kept; 0 keeps everything."""

    visit_days: int
    chat_days: int


class Forgotten(NamedTuple):
    """What one transaction has deleted.

    is_done: nothing past its retention is left, of no site, but for visits that are not counted yet: has_to_wait.
    has_more: others may be deleted at once.
    """

    deleted: int
    is_done: bool
    has_to_wait: bool = False
    has_more: bool = False


class Run(Struct):
    """What one run has done so far."""

    since: datetime
    began: float
    deleted: int = 0


class RetentionChore:
    """One of the two retentions: bite by bite while there is more, then it looks again after FORGET_EVERY."""

    def __init__(
        self,
        engine: Engine,
        name: ChoreName,
        kept_for: timedelta,
        load: WriteLoad,
        checkpoints: Checkpoints,
        space: FreeSpace,
        clock: Callable[[], int],
    ) -> None:
        self._engine = engine
        self._name = name
        self._forget = forget_visits if name is ChoreName.VISITS else forget_chats
        self._kept_for = kept_for
        self._pace = BitePace(load, FORGET_AT_ONCE)
        self._checkpoints = checkpoints
        self._space = space
        self._clock = clock
        self._run: Run | None = None
        self._has_deleted_all = False
        self._looks_again_in = FORGET_EVERY

    @property
    def is_running(self) -> bool:
        """Whether it has begun to delete, and neither that nor giving back the space is done."""
        return self._run is not None

    def do(self) -> float:
        """One bite; returns the seconds until the next one."""
        pause = self._space.give_some() if self._has_deleted_all else self._delete()
        if pause is None:
            self._end()
            return self._looks_again_in
        return LONGEST_PAUSE if self._checkpoints.is_held else pause

    def _delete(self) -> float | None:
        """The pause after it; None: nothing is left to do."""
        at_once, began = self._pace.size, monotonic()
        forgotten = self._forget(self._engine, self._clock(), self._kept_for, at_once)
        deleted = forgotten.deleted
        pause = self._pace.pause(monotonic() - began)
        if self._run is None and deleted:
            self._run = Run(from_milliseconds(self._clock()), began)
        if self._run:
            self._run.deleted += deleted
        if forgotten.has_more:
            return pause
        if not forgotten.is_done:  # somebody writes the rest
            return LONGEST_PAUSE
        self._looks_again_in = WAIT_FOR_COUNTS if forgotten.has_to_wait else FORGET_EVERY
        self._has_deleted_all = self._run is not None
        return pause if self._has_deleted_all else None

    def _end(self) -> None:
        """One line for a run that has deleted something."""
        run, self._run, self._has_deleted_all = self._run, None, False
        if run is None:
            return
        _log.info(
            "retention_done of=%s deleted=%d since=%s seconds=%.0f given_back_mb=%.0f",
            self._name.value,
            run.deleted,
            f"{run.since:%Y-%m-%dT%H:%M:%SZ}",
            monotonic() - run.began,
            self._space.take_given() / 1_000_000,
        )


def forget_visits(
    engine: Engine, now: int, retention: timedelta, at_once: int = FORGET_AT_ONCE
) -> Forgotten:
    """Delete the visits past their retention with their page views, spans and conversations.

    At most `at_once`, of those that are counted by day. The counts of visits and of days stay.
    """
    return _forget(engine, ChoreName.VISITS, _forget_visits_of_site, now, retention, at_once)


def forget_chats(
    engine: Engine, now: int, retention: timedelta, at_once: int = FORGET_AT_ONCE
) -> Forgotten:
    """Delete the messages past their retention, at most `at_once`."""
    return _forget(engine, ChoreName.CHATS, _forget_messages_of_site, now, retention, at_once)


def _forget(
    engine: Engine,
    name: ChoreName,
    of_site: Callable[[Connection, Site, datetime, int], Forgotten],
    now: int,
    retention: timedelta,
    at_once: int,
) -> Forgotten:
    moment, deleted, busy_sites = from_milliseconds(now), 0, 0
    has_to_wait = has_more = False
    with writing(engine) as db:
        # Without those that are being deleted: their rows go anyway.
        sites = {site.id: site for site in list_sites(db) if site.id}
        taken = take_sites(db, sites, TAKE_WITHIN)
        for site_id in sorted(taken):
            has_more = deleted >= at_once or busy_sites >= SITES_AT_ONCE
            if has_more:
                break
            of_it = of_site(db, sites[site_id], moment - retention, at_once - deleted)
            deleted += of_it.deleted
            busy_sites += of_it.deleted > 0
            has_to_wait |= of_it.has_to_wait
        has_more |= deleted >= at_once
        is_done = not has_more and taken == set(sites)
        record_chore_run(db, name, moment, is_done=is_done)
    return Forgotten(deleted, is_done, has_to_wait, has_more)


def _forget_messages_of_site(db: Connection, site: Site, before: datetime, limit: int) -> Forgotten:
    deleted = forget_messages(db, site.id or 0, before, limit)
    return Forgotten(deleted, is_done=deleted < limit)


def _forget_visits_of_site(db: Connection, site: Site, before: datetime, limit: int) -> Forgotten:
    """The oldest first: they lie together in SQLite's file, in the order in which they came.

    Only those that are counted: what is told of them afterwards is what was counted.
    """
    site_id, activity = site.id or 0, col(Visit.last_activity_at)
    counted_until = count_state(db, site).deletable_until
    of_site = select(col(Visit.id)).where(col(Visit.site_id) == site_id)
    are_old = of_site.where(activity < min(before, counted_until))
    ids = db.execute(are_old.order_by(activity).limit(limit)).scalars().all()
    if ids:
        note_thinned(db, site, ids)
        delete_visits(db, site_id, ids)
    are_waiting = of_site.where(activity >= counted_until, activity < before).limit(1)
    return Forgotten(len(ids), len(ids) < limit, db.execute(are_waiting).first() is not None)
