"""What keeps the database in order: retention, chats that are over, deleted sites, SQLite's checkpoints.

And the collector's heartbeat: it is written by the writer's own thread, so that a collector that
cannot write gives none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from math import inf
from time import monotonic
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, Engine, select
from sqlalchemy import Table as SchemaTable

from collector.writing.faults import name_fault
from collector.writing.log_hold import LogHold
from collector.writing.visits_ahead import SET_BACK_AT_ONCE, set_back_visits
from collector.writing.write_load import WriteLoad
from core.chat.closing import close_due
from core.chat.conversations import read_left_messages
from core.chat.retention import delete_withdrawn, forget_messages
from core.chore_runs import ChoreName, record_chore_run
from core.database import DATABASE_ERRORS, empty_log, lock_visits, reading, writing
from core.file_rewrite import asked_rewrite, rewrite_file, rewrites_itself
from core.heartbeat import BEATS_EVERY, CollectorLoad, record_heartbeat
from core.moment import from_milliseconds
from core.random_id import random_id
from core.removal import delete_some, delete_visits
from core.sites import list_sites, removed_sites
from core.table_ends import forget_old_counts
from core.tables import Table
from core.version import VERSION
from core.visits.path_backlog import make_some_paths_readable

CHECKPOINT_EVERY = 5.0
"""Seconds; it moves what was committed from SQLite's log into its file."""

EMPTY_LOG_EVERY = 30.0
"""Seconds; it takes what was deleted out of SQLite's log, whose bytes a checkpoint alone leaves there."""

EMPTY_LOG_AGAIN_AFTER = 0.5
"""Seconds until the next try, when a reader was in its way. Readers are short, so few tries are needed."""

FORGET_EVERY = 600.0
"""Seconds between two searches for visits past their retention."""

NEXT_BITE_AFTER = 0.25
"""Seconds between two transactions that delete, while there is more to delete."""

FORGET_AT_ONCE = 500
"""Visits of a site that one transaction deletes, so that beacons never wait long for it."""

CLOSE_CHATS_EVERY = 5.0
"""Seconds between two searches for conversations that are over by themselves."""

READ_PATHS_EVERY = 0.25
"""Seconds between two bites of the paths that an earlier version has stored, while there are any."""

READ_PATHS_AT_ONCE = 200
"""Visits of which one transaction makes the paths readable: some 10 ms."""

LOOK_AT_CLOCK_EVERY = 30.0
"""Seconds between two searches for visits that a clock which ran ahead has written."""

LOOK_FOR_REMOVED_EVERY = 2.0
"""Seconds between two searches for sites that are to be deleted."""

REMOVE_AFTER = 10.0
"""Seconds after a site was seen to be removed: by then every collector has forgotten it, and every
stream has heard that its chats are over."""

REMOVE_VISITS_AT_ONCE = 100
"""Visits of a removed site that one transaction deletes with all that belongs to them: some 0.5 ms each on
Postgres, and beacons wait for it. Every NEXT_BITE_AFTER it is some 300 visits a second."""

REMOVE_ROWS_AT_ONCE = 1_000
"""Rows of its other tables that one transaction deletes."""

LOOK_FOR_REWRITE_EVERY = 2.0
"""Seconds between two looks whether SQLite's file is to be rewritten."""

REWRITE_AFTER = 20.0
"""Seconds after the newest request: one rewrite serves several, and by then withdrawn chats are deleted."""

REWRITE_AGAIN_AFTER = 600.0
"""Seconds after which a rewrite that has failed is tried again."""

AGAIN_AFTER = 5.0
"""Seconds after which a chore that has failed is due again."""

_log = logging.getLogger("collector.housekeeping")


class Retention(NamedTuple):
    """For how many days visits, and the text of chats, are kept; 0 keeps everything."""

    visit_days: int
    chat_days: int


class Chore(Struct):
    """What is done again and again: `do` gives the seconds until it is due again."""

    do: Callable[[], float]
    due_at: float = 0.0


class Housekeeping:
    """Chores of the writer's thread, done between two batches."""

    def __init__(
        self, engine: Engine, retention: Retention, load: WriteLoad, clock: Callable[[], int]
    ) -> None:
        self._engine = engine
        self._load = load
        self._log_hold = LogHold()
        self._retention = timedelta(days=retention.visit_days)
        self._chat_retention = timedelta(days=retention.chat_days)
        self._clock = clock
        self._id = random_id()
        self._started_at = from_milliseconds(clock())
        self._removed: dict[int, float] = {}
        self._deleted_to: dict[int, str] = {}
        self._rewrite_asked = ("", 0.0)
        self._emptying = Chore(self._empty_log, monotonic() + EMPTY_LOG_EVERY)
        self._chores = [
            Chore(self._beat),
            Chore(self._close_chats),
            Chore(self._read_paths),
            Chore(self._remove_sites),
            Chore(self._forget_counts),
            Chore(self._set_back),
        ]
        if engine.dialect.name == "sqlite":
            self._chores.append(Chore(self._checkpoint, monotonic() + CHECKPOINT_EVERY))
            self._chores.append(Chore(self._rewrite))
            self._chores.append(self._emptying)
        if self._retention:
            self._chores.append(Chore(self._forget))
        if self._chat_retention:
            self._chores.append(Chore(self._forget_chats))

    @property
    def due_in(self) -> float:
        """Seconds until something is due."""
        return max(min(chore.due_at for chore in self._chores) - monotonic(), 0.0)

    def do_due(self) -> None:
        """Do what is due now, a short transaction each; after a fault it is due again later."""
        for chore in self._chores:
            if monotonic() >= chore.due_at:
                chore.due_at = monotonic() + AGAIN_AFTER
                chore.due_at = chore.do() + monotonic()

    def _beat(self) -> float:
        now = from_milliseconds(self._clock())
        load = CollectorLoad(self._load.queued, self._load.take_longest(), self._log_hold.since)
        with writing(self._engine) as connection:
            record_heartbeat(connection, self._id, VERSION, self._started_at, now, load)
        return BEATS_EVERY.total_seconds()

    def _checkpoint(self) -> float:
        """Passive: it never waits for a reader. No other thread or process checkpoints."""
        with closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            _, frames, moved = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self._log_hold.note(frames, moved, from_milliseconds(self._clock()))
        return CHECKPOINT_EVERY

    def _empty_log(self) -> float:
        """So nothing that was deleted is in the log a minute later, and the log does not grow on."""
        return EMPTY_LOG_EVERY if empty_log(self._engine) else EMPTY_LOG_AGAIN_AFTER

    def _rewrite(self) -> float:
        """Rewrite the file, some time after the newest request; of a large one the owner chooses the hour."""
        with reading(self._engine) as connection:
            asked, is_small = asked_rewrite(connection), rewrites_itself(connection)
        if asked != self._rewrite_asked[0]:
            self._rewrite_asked = (asked, monotonic())
        is_due = monotonic() >= self._rewrite_asked[1] + REWRITE_AFTER
        if not asked or not is_due or not is_small:
            return LOOK_FOR_REWRITE_EVERY
        try:
            rewrite_file(self._engine, asked)
        except DATABASE_ERRORS as fault:
            _log.warning("file_not_rewritten fault=%s", name_fault(fault))
            return REWRITE_AGAIN_AFTER
        _log.info("file_rewritten")
        self._emptying.due_at = monotonic()
        return LOOK_FOR_REWRITE_EVERY

    def _forget(self) -> float:
        forgotten = forget_visits(self._engine, self._clock(), self._retention)
        if forgotten:
            _log.info("visits past retention deleted: visits=%d", forgotten)
        return FORGET_EVERY if forgotten < FORGET_AT_ONCE else NEXT_BITE_AFTER

    def _forget_chats(self) -> float:
        forgotten = forget_chats(self._engine, self._clock(), self._chat_retention)
        if forgotten:
            _log.info("chat messages past retention deleted: messages=%d", forgotten)
        return FORGET_EVERY if forgotten < FORGET_AT_ONCE else NEXT_BITE_AFTER

    def _set_back(self) -> float:
        set_back = set_back_visits(self._engine, self._clock())
        if set_back:
            _log.warning("visits of a clock that ran ahead set back: visits=%d", set_back)
        return LOOK_AT_CLOCK_EVERY if set_back < SET_BACK_AT_ONCE else NEXT_BITE_AFTER

    def _forget_counts(self) -> float:
        now = from_milliseconds(self._clock())
        with writing(self._engine) as connection:
            gone = forget_old_counts(connection, now, self._retention, REMOVE_ROWS_AT_ONCE)
        return FORGET_EVERY if gone < REMOVE_ROWS_AT_ONCE else NEXT_BITE_AFTER

    def _close_chats(self) -> float:
        """Those that are over, and those of removed sites, also what was left there and nobody has read.

        Of withdrawn ones the rows are deleted.
        """
        now = from_milliseconds(self._clock())
        with writing(self._engine) as connection:
            close_due(connection, now)
            delete_withdrawn(connection, now)
            for site in removed_sites(connection):
                read_left_messages(connection, site.id or 0, now)
        return CLOSE_CHATS_EVERY

    def _read_paths(self) -> float:
        with writing(self._engine) as connection:
            lock_visits(connection)
            is_more = make_some_paths_readable(connection, READ_PATHS_AT_ONCE)
        return READ_PATHS_EVERY if is_more else inf

    def _remove_sites(self) -> float:
        """Delete some rows of a removed site, once everybody has had the time to hear of it."""
        with reading(self._engine) as connection:
            ids = {site.id: site.key for site in removed_sites(connection) if site.id}
        self._removed = {id: self._removed.get(id, monotonic()) for id in ids}
        self._deleted_to = {id: self._deleted_to.get(id, "") for id in ids}
        ready = [id for id, since in self._removed.items() if monotonic() >= since + REMOVE_AFTER]
        if not ready:
            return LOOK_FOR_REMOVED_EVERY
        self._delete_some(ready[0], ids[ready[0]])
        return NEXT_BITE_AFTER

    def _delete_some(self, site_id: int, key: str) -> None:
        after = self._deleted_to[site_id]
        with writing(self._engine) as connection:
            bite = delete_some(
                connection, site_id, REMOVE_VISITS_AT_ONCE, REMOVE_ROWS_AT_ONCE, after
            )
        self._deleted_to[site_id] = bite.last_visit
        if bite.is_last:
            _log.info("site deleted with all its rows: key=%s", key)


def forget_visits(engine: Engine, now: int, retention: timedelta) -> int:
    """Delete the visits past their retention with their page views, spans and conversations.

    Returns how many went, at most FORGET_AT_ONCE of each site. The counts of visits stay.
    """
    moment = from_milliseconds(now)
    with writing(engine) as connection:
        sites = _lock_sites(connection)
        forgotten = sum(_forget_of_site(connection, id, moment - retention) for id in sites)
        _record_run(connection, ChoreName.VISITS, moment, forgotten)
    return forgotten


def forget_chats(engine: Engine, now: int, retention: timedelta) -> int:
    """Delete the messages past their retention; returns how many, at most FORGET_AT_ONCE a site."""
    moment = from_milliseconds(now)
    with writing(engine) as connection:
        forgotten = sum(
            forget_messages(connection, id, moment - retention, FORGET_AT_ONCE)
            for id in _lock_sites(connection)
        )
        _record_run(connection, ChoreName.CHATS, moment, forgotten)
    return forgotten


def _record_run(connection: Connection, name: ChoreName, now: datetime, forgotten: int) -> None:
    record_chore_run(connection, name, now, is_done=forgotten < FORGET_AT_ONCE)


def _lock_sites(connection: Connection) -> list[int]:
    """The ids of the sites, whose rows no other transaction deletes until this one ends.

    Without those that are being deleted: their rows go anyway.
    """
    lock_visits(connection)
    return [site.id for site in list_sites(connection) if site.id]


def _forget_of_site(connection: Connection, site_id: int, before: datetime) -> int:
    visit = _table("visit")
    oldest = (
        select(visit.c.id)
        .where(visit.c.site_id == site_id, visit.c.last_activity_at < before)
        .limit(FORGET_AT_ONCE)
    )
    ids = connection.execute(oldest).scalars().all()
    if ids:
        delete_visits(connection, site_id, ids)
    return len(ids)


def _table(name: str) -> SchemaTable:
    return Table.metadata.tables[name]
