"""A day that is being counted: bite by bite, so that nobody waits long for it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, Connection, func, select
from sqlmodel import col

from core.moment import to_milliseconds
from core.rollups.counting import Count, add_up, count_visits
from core.rollups.days import MOST_VALUES, most_of_each, store_day
from core.rollups.dimensions import STARTED_AT, Dimension
from core.rollups.visitors import count_by_last_day
from core.tables import Site, Visit
from core.visits.calendar import day_period

_MOST_HELD = 20 * MOST_VALUES
"""Values of a dimension that are told apart while a day is counted: some 5 MB."""


class DayTally:
    """What is counted so far of the visits that began on a day of a site."""

    def __init__(self, site: Site, day: date) -> None:
        assert site.id is not None
        self.site_id = site.id
        self.day = day
        self.bounds = day_period(day, site.time_zone)
        self.visits = 0
        self._time_zone = site.time_zone
        self._counts: list[Count] = []
        self._position, self._end = map(to_milliseconds, self.bounds)

    @property
    def is_whole(self) -> bool:
        """Whether all visits of the day are counted."""
        return self._position >= self._end

    def count_some(self, db: Connection, at_once: int) -> int:
        """Count the next visits, about `at_once`; how many they were. Reads only."""
        until = self._bite_end(db, at_once)
        part = (*self._began_from(self._position), until > STARTED_AT)
        counts = count_visits(db, part, list(Dimension))
        counts += count_by_last_day(db, part, self._time_zone)
        visits = sum(count.visits for count in counts if count.dimension == Dimension.SLOT)
        self._counts = most_of_each(add_up([*self._counts, *counts]), _MOST_HELD)
        self._position = until
        self.visits += visits
        return visits

    def store(self, db: Connection) -> bool:
        """Keep the counts; the caller holds the lock of the site. False: visits were deleted meanwhile, so that it
        is to be counted anew."""
        began = (*self._began_from(to_milliseconds(self.bounds.from_at)), self._end > STARTED_AT)
        stored = db.execute(select(func.count()).select_from(Visit).where(*began)).scalar_one()
        if stored != self.visits:
            return False
        store_day(db, self.site_id, self.day, self.bounds, self._counts)
        return True

    def _bite_end(self, db: Connection, at_once: int) -> int:
        """Milliseconds: where the visit after the next `at_once` begins, or the day ends."""
        later = (*self._began_from(self._position), self._end > STARTED_AT)
        found = db.execute(
            select(STARTED_AT).where(*later).order_by(STARTED_AT).offset(at_once).limit(1)
        ).scalar()
        return self._end if found is None else max(found, self._position + 1)

    def _began_from(self, position: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return (col(Visit.site_id) == self.site_id, position <= STARTED_AT)
