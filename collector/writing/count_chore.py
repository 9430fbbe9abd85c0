"""Counts visits that are over by day, bite by bite, so that trends are quick to read and outlive the visits."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from sqlalchemy import Engine

from collector.writing.bite_pace import BitePace
from collector.writing.write_load import WriteLoad
from core.database import writing
from core.locks import TAKE_WITHIN, take_sites
from core.moment import from_milliseconds
from core.rollups.count_step import count_some
from core.sites import list_sites

COUNT_EVERY = 300.0
"""Seconds between two looks for visits that are over since."""

COUNTED_AT_ONCE = 1_000
"""Visits that one transaction counts at most, so that beacons never wait long for it."""


class CountChore:
    """Of the writer's housekeeping."""

    def __init__(self, engine: Engine, load: WriteLoad, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._pace = BitePace(load, COUNTED_AT_ONCE)
        self._clock = clock

    def do(self) -> float:
        """One bite of each site, or of some; returns the seconds until the next one."""
        now, began, left = from_milliseconds(self._clock()), monotonic(), self._pace.size
        with writing(self._engine) as db:
            sites = {site.id: site for site in list_sites(db) if site.id}
            taken = take_sites(db, sites, TAKE_WITHIN)
            is_last = taken == set(sites)
            for site_id in sorted(taken):
                if left > 0:
                    step = count_some(db, sites[site_id], now, left)
                    left -= step.visits
                    is_last &= step.is_last
                else:
                    is_last = False
        return COUNT_EVERY if is_last else self._pace.pause(monotonic() - began)
