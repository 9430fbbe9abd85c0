"""Counts days that are over, bite by bite, so that trends are quick to read and outlive the visits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from time import monotonic

from sqlalchemy import Engine

from collector.writing.bite_pace import BitePace
from collector.writing.write_load import WriteLoad
from core.database import reading, writing
from core.locks import TAKE_WITHIN, take_sites
from core.moment import from_milliseconds
from core.rollups.day_tally import DayTally
from core.rollups.days import days_ahead, drop_days, next_due_day
from core.sites import has_site, list_sites

LOOK_EVERY = 60.0
"""Seconds between two searches for days that are to be counted."""

COUNTED_AT_ONCE = 1_000
"""Visits that one bite counts at most, so that beacons never wait long for it."""

_log = logging.getLogger("collector.housekeeping")


class DayChore:
    """Of the writer's housekeeping: it counts the oldest day that is due of any site, then the next one."""

    def __init__(self, engine: Engine, load: WriteLoad, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._pace = BitePace(load, COUNTED_AT_ONCE)
        self._clock = clock
        self._tally: DayTally | None = None

    def do(self) -> float:
        """One bite; returns the seconds until the next one."""
        began = monotonic()
        if self._tally is None:
            self._tally = self._begin()
            if self._tally is None:
                return LOOK_EVERY
        elif self._tally.is_whole:
            tally, self._tally = self._tally, None
            self._store(tally)
        else:
            with reading(self._engine) as db:
                self._tally.count_some(db, self._pace.size)
        return self._pace.pause(monotonic() - began)

    def _begin(self) -> DayTally | None:
        now = from_milliseconds(self._clock())
        with reading(self._engine) as db:
            sites = list_sites(db)
            ids = [site.id for site in sites if site.id]
            due = [(day, site) for site in sites if (day := next_due_day(db, site, now))]
            ahead = {id: days for id in ids if (days := days_ahead(db, id, now))}
        if ahead:
            self._drop(ahead)
            return None
        if not due:
            return None
        day, site = min(due, key=lambda found: found[0])
        return DayTally(site, day)

    def _drop(self, ahead: Mapping[int, Sequence[date]]) -> None:
        with writing(self._engine) as db:
            for site_id in sorted(take_sites(db, ahead, TAKE_WITHIN)):
                drop_days(db, site_id, ahead[site_id])
        _log.warning("days_of_a_clock_that_ran_ahead dropped=%d", sum(map(len, ahead.values())))

    def _store(self, tally: DayTally) -> None:
        """What somebody else writes just now, or what was deleted meanwhile, is counted again."""
        with writing(self._engine) as db:
            is_free = tally.site_id in take_sites(db, [tally.site_id], TAKE_WITHIN)
            is_kept = is_free and has_site(db, tally.site_id) and tally.store(db)
        if is_kept:
            _log.info(
                "day_counted site_id=%d day=%s visits=%d", tally.site_id, tally.day, tally.visits
            )
