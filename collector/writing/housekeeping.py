"""What keeps the database in order: retention, chats that are over, deleted sites, SQLite's checkpoints.

And the collector's heartbeat: it is written by the writer itself, so that a collector that
cannot write gives none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from msgspec import Struct
from sqlalchemy import Engine

from collector.writing.bite_pace import BitePace
from collector.writing.checkpoints import CHECKPOINT_EVERY, EMPTY_LOG_EVERY, Checkpoints
from collector.writing.count_chore import CountChore
from collector.writing.faults import name_fault
from collector.writing.free_space import FreeSpace
from collector.writing.notice_chore import NoticeChore
from collector.writing.retention_chore import FORGET_EVERY, Retention, RetentionChore
from collector.writing.visits_ahead import SET_BACK_AT_ONCE, set_back_visits
from collector.writing.write_load import WriteLoad
from core.chat.closing import close_due
from core.chat.departure import note_departures
from core.chat.left_messages import drop_left_messages
from core.chat.retention import delete_withdrawn
from core.chat.vacancy import UnheardAgents, vacate_due
from core.chore_runs import ChoreName
from core.database import DATABASE_ERRORS, reading, writing
from core.file_rewrite import asked_rewrite, rewrite_file, rewrites_itself
from core.heartbeat import BEATS_EVERY, CollectorLoad, record_heartbeat
from core.locks import TAKE_WITHIN, take_sites
from core.moment import from_milliseconds
from core.random_id import random_id
from core.removal import delete_some
from core.sites import list_sites, removed_sites
from core.table_ends import forget_old_counts
from core.version import VERSION
from core.visits.memories import forget_memories

GIVE_BACK_EVERY = 60.0
"""Seconds between two looks whether SQLite's file has free pages that nobody gives back."""

CLOSE_CHATS_EVERY = 5.0
"""Seconds between two searches for conversations that are over by themselves."""

NOTE_ABSENCES_EVERY = 5.0
"""Seconds between two searches for open chats whose agent or visitor has gone, or come back."""

FORGET_MEMORIES_EVERY = 60.0
"""Seconds between two searches for visits of which nothing needs to be remembered any more."""

FORGET_MEMORIES_AT_ONCE = 1_000
"""Such visits of a site that one transaction takes: some 10 ms."""

LOOK_AT_CLOCK_EVERY = 30.0
"""Seconds between two searches for visits that a clock which ran ahead has written."""

LOOK_FOR_REMOVED_EVERY = 2.0
"""Seconds between two searches for sites that are to be deleted."""

REMOVE_AFTER = 10.0
"""Seconds after a site was seen to be removed: by then every collector has forgotten it, and every
stream has heard that its chats are over."""

REMOVE_VISITS_AT_ONCE = 100
"""Visits of a removed site that one transaction deletes with all that belongs to them: some 0.5 ms each on
Postgres, and beacons wait for it."""

REMOVE_ROWS_AT_ONCE = 1_000
"""Rows of its other tables that one transaction deletes."""

NEXT_BITE_AFTER = 0.25
"""Seconds between two transactions of the rare chores, while there is more to do."""

LOOK_FOR_REWRITE_EVERY = 2.0
"""Seconds between two looks whether SQLite's file is to be rewritten."""

REWRITE_AFTER = 20.0
"""Seconds after the newest request: one rewrite serves several, and by then withdrawn chats are deleted."""

REWRITE_AGAIN_AFTER = 600.0
"""Seconds after which a rewrite that has failed is tried again."""

AGAIN_AFTER = 5.0
"""Seconds after which a chore that has failed is due again."""

_log = logging.getLogger("collector.housekeeping")


class Chore(Struct):
    """What is done again and again: `do` gives the seconds until it is due again."""

    do: Callable[[], float]
    due_at: float = 0.0


class Housekeeping:
    """Chores of the writer, done between two batches."""

    def __init__(
        self,
        engine: Engine,
        retention: Retention,
        load: WriteLoad,
        clock: Callable[[], int],
        tell_addresses: Callable[[bool], None] = lambda there_are: None,
    ) -> None:
        """tell_addresses: is called with whether there are addresses for notices, or mail servers, when that changes."""
        self._engine = engine
        self._load = load
        self._checkpoints = Checkpoints(engine, clock)
        self._space = FreeSpace(engine, load)
        self._pace = BitePace(load, REMOVE_VISITS_AT_ONCE)
        self._visits_kept_for = timedelta(days=retention.visit_days)
        self._clock = clock
        self._id = random_id()
        self._started_at = from_milliseconds(clock())
        self._unheard = UnheardAgents()
        self._removed: dict[int, float] = {}
        self._deleted_to: dict[int, str] = {}
        self._rewrite_asked = ("", 0.0)
        self._emptying = Chore(self._checkpoints.empty, monotonic() + EMPTY_LOG_EVERY)
        self._chores = [
            Chore(self._beat),
            Chore(self._close_chats),
            Chore(self._note_absences),
            Chore(self._forget_memories),
            Chore(self._remove_sites),
            Chore(self._forget_counts),
            Chore(self._set_back),
            Chore(NoticeChore(engine, clock, tell_addresses).do),
            Chore(CountChore(engine, load, clock).do),
        ]
        if engine.dialect.name == "sqlite":
            self._chores.append(Chore(self._checkpoints.move, monotonic() + CHECKPOINT_EVERY))
            self._chores.append(Chore(self._give_back, monotonic() + GIVE_BACK_EVERY))
            self._chores.append(Chore(self._rewrite))
            self._chores.append(self._emptying)
        kept = {ChoreName.VISITS: retention.visit_days, ChoreName.CHATS: retention.chat_days}
        self._retentions = [
            self._retention(name, timedelta(days=days)) for name, days in kept.items() if days
        ]
        self._chores.extend(Chore(each.do) for each in self._retentions)

    def _retention(self, name: ChoreName, kept_for: timedelta) -> RetentionChore:
        return RetentionChore(
            self._engine, name, kept_for, self._load, self._checkpoints, self._space, self._clock
        )

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
                self._checkpoints.keep_small()
        self._checkpoints.keep_small()

    def _beat(self) -> float:
        now = from_milliseconds(self._clock())
        hold = self._checkpoints.hold
        load = CollectorLoad(
            self._load.queued, self._load.take_longest(), hold.since, self._checkpoints.reader
        )
        with writing(self._engine) as connection:
            record_heartbeat(connection, self._id, VERSION, self._started_at, now, load)
        return BEATS_EVERY.total_seconds()

    def _give_back(self) -> float:
        """What a deleted site or a forgotten visitor has left free; retention gives back its own."""
        if any(each.is_running for each in self._retentions):
            return GIVE_BACK_EVERY
        pause = self._space.give_some()
        if pause is None and (given := self._space.take_given()):
            _log.info("space_given_back mb=%.0f", given / 1_000_000)
        return GIVE_BACK_EVERY if pause is None else pause

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

    def _set_back(self) -> float:
        set_back = set_back_visits(self._engine, self._clock())
        if set_back:
            _log.warning("visits of a clock that ran ahead set back: visits=%d", set_back)
        return LOOK_AT_CLOCK_EVERY if set_back < SET_BACK_AT_ONCE else NEXT_BITE_AFTER

    def _forget_counts(self) -> float:
        now = from_milliseconds(self._clock())
        with writing(self._engine) as connection:
            gone = forget_old_counts(connection, now, self._visits_kept_for, REMOVE_ROWS_AT_ONCE)
        return FORGET_EVERY if gone < REMOVE_ROWS_AT_ONCE else NEXT_BITE_AFTER

    def _close_chats(self) -> float:
        """Those that are over, and those of removed sites, also what was left there.

        Of withdrawn ones the rows are deleted.
        """
        now = from_milliseconds(self._clock())
        with writing(self._engine) as connection:
            close_due(connection, now)
            delete_withdrawn(connection, now)
            removed = [site.id for site in removed_sites(connection) if site.id]
            for site_id in sorted(take_sites(connection, removed, TAKE_WITHIN)):
                drop_left_messages(connection, site_id, now)
        return CLOSE_CHATS_EVERY

    def _note_absences(self) -> float:
        """Of agents, whose chats are anybody's then, and of visitors."""
        now = from_milliseconds(self._clock())
        with writing(self._engine) as connection:
            vacated = vacate_due(connection, now, self._unheard, monotonic())
            note_departures(connection, now)
        if vacated:
            _log.info("chats_vacated chats=%d", vacated)
        return NOTE_ABSENCES_EVERY

    def _forget_memories(self) -> float:
        now, most = from_milliseconds(self._clock()), 0
        with writing(self._engine) as connection:
            sites = [site.id for site in list_sites(connection) if site.id]
            for site_id in sorted(take_sites(connection, sites, TAKE_WITHIN)):
                gone = forget_memories(connection, site_id, now, FORGET_MEMORIES_AT_ONCE)
                most = max(most, gone)
        return FORGET_MEMORIES_EVERY if most < FORGET_MEMORIES_AT_ONCE else NEXT_BITE_AFTER

    def _remove_sites(self) -> float:
        """Delete some rows of a removed site, once everybody has had the time to hear of it."""
        with reading(self._engine) as connection:
            ids = {site.id: site.key for site in removed_sites(connection) if site.id}
        self._removed = {id: self._removed.get(id, monotonic()) for id in ids}
        self._deleted_to = {id: self._deleted_to.get(id, "") for id in ids}
        ready = [id for id, since in self._removed.items() if monotonic() >= since + REMOVE_AFTER]
        if not ready:
            return LOOK_FOR_REMOVED_EVERY
        began = monotonic()
        self._delete_some(ready[0], ids[ready[0]])
        return self._pace.pause(monotonic() - began)

    def _delete_some(self, site_id: int, key: str) -> None:
        after = self._deleted_to[site_id]
        with writing(self._engine) as connection:
            bite = delete_some(connection, site_id, self._pace.size, REMOVE_ROWS_AT_ONCE, after)
        self._deleted_to[site_id] = bite.last_visit
        if bite.is_last:
            _log.info("site deleted with all its rows: key=%s", key)
