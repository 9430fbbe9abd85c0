"""Counts visits that are over by day, bite by bite, so that trends are quick to read and outlive the visits."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from sqlalchemy import Engine

from collector.writing.bite_pace import BitePace
from collector.writing.write_load import WriteLoad
from core.database import reading, writing
from core.locks import TAKE_WITHIN, take_sites
from core.moment import from_milliseconds
from core.rollups.count_step import count_some
from core.sites import list_sites, site_of_id

COUNT_EVERY = 300.0
"""Seconds between two looks for visits that are over since."""

COUNTED_AT_ONCE = 400
"""Visits that one transaction counts at most, so that beacons never wait long for it."""


class CountChore:
    """Of the writer's housekeeping."""

    def __init__(self, engine: Engine, load: WriteLoad, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._pace = BitePace(load, COUNTED_AT_ONCE)
        self._clock = clock
        self._left: list[int] = []
        """Sites of which visits may have to be counted."""

    def do(self) -> float:
        """One bite of one site; returns the seconds until the next one."""
        began = monotonic()
        if not self._left:
            with reading(self._engine) as db:
                self._left = [site.id for site in list_sites(db) if site.id]
        if self._left and self._is_counted(self._left[-1]):
            self._left.pop()
        return self._pace.pause(monotonic() - began) if self._left else COUNT_EVERY

    def _is_counted(self, site_id: int) -> bool:
        """Count some of the site; whether that is all for now. What somebody else writes is left for the next time."""
        now = from_milliseconds(self._clock())
        with writing(self._engine) as db:
            site = site_of_id(db, site_id)
            if site is None or not take_sites(db, [site_id], TAKE_WITHIN):
                return True
            return count_some(db, site, now, self._pace.size).is_last
