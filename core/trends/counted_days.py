"""What of a period is read from days that are counted, and what from its visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, select
from sqlmodel import col

from core.moment import EPOCH, from_milliseconds
from core.rollups.day_number import number_of
from core.rollups.dimensions import STARTED_AT, began_within
from core.rollups.site_counts import CountState, count_state
from core.tables import Site, Visit
from core.trends.filters import TrendFilters
from core.visits.calendar import Period, day_period, local_day

MOST_UNCOUNTED = 50_000
"""Visits that one statement reads besides what is counted: usually those of the last two hours."""

MOST_RANGES = 12
"""So many times as many may be in no chunk: where there are more, it is not worth while to ask by last activity."""


@dataclass(frozen=True)
class CountedSite:
    """How far the visits of a site are counted, as one snapshot has it: what every count of a period needs to know.

    is_read_by_parts: visits are counted again, or so many are not counted that they are read part by part.
    oldest_uncounted: when the first of the others began that are not counted; None: there is none.
    unchunked: from which last activities on those are read that are in no chunk, MOST_UNCOUNTED of them from each on; None:
    there is no chunk, or too many are in none. oldest_unchunked: as oldest_uncounted.
    """

    site: Site
    state: CountState
    is_read_by_parts: bool
    oldest_uncounted: datetime | None
    unchunked: Sequence[datetime] | None
    oldest_unchunked: datetime | None

    @classmethod
    def read(cls, db: Connection, site: Site) -> CountedSite:
        """Of the site, as it is by now."""
        state = count_state(db, site)
        is_behind = not state.is_current or len(_ranges(db, site, state.until, 2)) > 1
        oldest = None if is_behind else _oldest(db, site, state.until)
        if state.chunked_until == EPOCH:
            return cls(site, state, is_behind, oldest, None, None)
        unchunked = _ranges(db, site, state.chunked_until, MOST_RANGES + 1)
        if len(unchunked) > MOST_RANGES:
            return cls(site, state, is_behind, oldest, None, None)
        same = state.chunked_until == state.until and not is_behind
        oldest_unchunked = oldest if same else _oldest(db, site, state.chunked_until)
        return cls(site, state, is_behind, oldest, unchunked, oldest_unchunked)

    def are_unchunked(self) -> list[tuple[ColumnElement[bool], ...]]:
        """The conditions of its visits that are in no chunk yet, range by range."""
        begins = self.unchunked or ()
        return [
            (*_are_later(self.site, since), col(Visit.last_activity_at) < until)
            if until
            else _are_later(self.site, since)
            for since, until in zip(begins, [*begins[1:], None], strict=True)
        ]

    def is_level(self, db: Connection) -> bool:
        """Whether in another snapshot the same visits are counted and in chunks."""
        return count_state(db, self.site) == self.state


@dataclass(frozen=True)
class CountedDays:
    """What of a period can be read from what is counted.

    days: whole local days, one after the other. uncounted: the conditions of their visits that are not in that. gaps:
    what is read from visits, and which of these: what of the period is in none of the days, or while visits are counted
    again, the whole period but for what the days have.
    """

    days: Sequence[date]
    uncounted: Sequence[ColumnElement[bool]]
    gaps: Sequence[Period]
    in_gaps: Sequence[ColumnElement[bool]] = ()
    beyond: Sequence[Period] = ()
    """What of the last of the days is not in the period, if that is less than what of it is: taken off again."""

    @classmethod
    def of(
        cls,
        counted: CountedSite,
        period: Period,
        filters: TrendFilters,
        may_take_off: bool = False,
    ) -> CountedDays:
        """None with filters, and where so much is not counted that it is read part by part.

        may_take_off: whether there may be something `beyond`.
        """
        site, state = counted.site, counted.state
        days = _whole_days(site.time_zone, period) if filters.is_empty else []
        if counted.is_read_by_parts:
            held = [day for day in days if number_of(day) <= state.thinned_day]
            if not held:
                return cls((), (), (period,))
            return cls(held, (), (period,), (state.are_not_held,))
        beyond: list[Period] = []
        if may_take_off and filters.is_empty:
            day = local_day(site.time_zone, period.until_at)
            whole = day_period(day, site.time_zone)
            rest = Period(period.until_at, whole.until_at)
            is_mostly_in = whole.from_at >= period.from_at and _is_shorter(rest, whole)
            if is_mostly_in and number_of(day) > state.thinned_day:
                days, beyond = [*days, day], [rest]
        if not days:
            return cls((), (), (period,))
        first, last = (day_period(day, site.time_zone) for day in (days[0], days[-1]))
        bounds = Period(first.from_at, last.until_at)
        oldest = counted.oldest_uncounted
        uncounted: Sequence[ColumnElement[bool]] = ()
        if oldest is not None and oldest < bounds.until_at:
            are_uncounted = _are_later(site, state.until)
            uncounted = (*are_uncounted, state.are_not_held, *began_within(bounds))
        around = (Period(period.from_at, bounds.from_at), Period(bounds.until_at, period.until_at))
        gaps = [gap for gap in around if gap.from_at < gap.until_at]
        return cls(days, uncounted, gaps, beyond=beyond)


def _are_later(site: Site, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return col(Visit.site_id) == site.id, col(Visit.last_activity_at) >= until


def _ranges(db: Connection, site: Site, since: datetime, most: int) -> list[datetime]:
    """The last activities from which on there are MOST_UNCOUNTED visits each, beginning with `since`; `most` at most."""
    activity, begins = col(Visit.last_activity_at), [since]
    while len(begins) < most:
        later = select(activity).where(*_are_later(site, begins[-1])).order_by(activity)
        begin = db.execute(later.offset(MOST_UNCOUNTED).limit(1)).scalar()
        if begin is None or begin == begins[-1]:
            break
        begins.append(begin)
    return begins


def _oldest(db: Connection, site: Site, since: datetime) -> datetime | None:
    """When the first of the visits began that were active later; None: there is none."""
    began = db.execute(select(func.min(STARTED_AT + 0)).where(*_are_later(site, since))).scalar()
    return None if began is None else from_milliseconds(began)


def _is_shorter(rest: Period, day: Period) -> bool:
    """Than half of the day."""
    return 2 * (rest.until_at - rest.from_at) < day.until_at - day.from_at


def _whole_days(time_zone: str, period: Period) -> list[date]:
    """The local days that lie wholly in the period."""
    day, days = local_day(time_zone, period.from_at), list[date]()
    while (bounds := day_period(day, time_zone)).until_at <= period.until_at:
        if bounds.from_at >= period.from_at:
            days.append(day)
        day += timedelta(days=1)
    return days
