"""What of a period is read from days that are counted, and what from the rows of visits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Connection, func, select
from sqlmodel import col

from core.moment import from_milliseconds
from core.rollups.day_number import number_of
from core.rollups.dimensions import STARTED_AT, began_within
from core.rollups.site_counts import CountState, count_state
from core.tables import Site, Visit
from core.trends.filters import TrendFilters
from core.visits.calendar import Period, day_period, local_day

MOST_UNCOUNTED = 50_000
"""Visits that one statement reads besides what is counted: usually those of the last two hours."""


@dataclass(frozen=True)
class CountedSite:
    """How far the visits of a site are counted, as one snapshot has it: what every count of a period needs to know.

    is_read_by_parts: visits are counted again, or so many are not counted that they are read part by part.
    oldest_uncounted: when the first of the others began that are not counted; None: there is none.
    """

    site: Site
    state: CountState
    is_read_by_parts: bool
    oldest_uncounted: datetime | None

    @classmethod
    def read(cls, db: Connection, site: Site) -> CountedSite:
        """Of the site, as it is by now."""
        state = count_state(db, site)
        if not state.is_current or _has_fallen_behind(db, site, state.until):
            return cls(site, state, True, None)
        oldest = select(func.min(STARTED_AT + 0)).where(*_are_uncounted(site, state))
        began = db.execute(oldest).scalar()
        return cls(site, state, False, None if began is None else from_milliseconds(began))


@dataclass(frozen=True)
class CountedDays:
    """What of a period can be read from what is counted.

    days: whole local days, one after the other. uncounted: the conditions of their visits that are not in that. gaps:
    what is read from rows, and which of these: what of the period is in none of the days, or while visits are counted
    again, the whole period but for what the days have.
    """

    days: Sequence[date]
    uncounted: Sequence[ColumnElement[bool]]
    gaps: Sequence[Period]
    in_gaps: Sequence[ColumnElement[bool]] = ()
    is_level: Callable[[Connection], bool] = lambda _: True
    """Whether in another snapshot the gaps have the same visits, though retention may have gone on since."""
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
            is_level = partial(_is_at, site, state)
            return cls(held, (), (period,), (state.are_not_held,), is_level)
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
            uncounted = (*_are_uncounted(site, state), state.are_not_held, *began_within(bounds))
        around = (Period(period.from_at, bounds.from_at), Period(bounds.until_at, period.until_at))
        gaps = [gap for gap in around if gap.from_at < gap.until_at]
        return cls(days, uncounted, gaps, beyond=beyond)


def _are_uncounted(site: Site, state: CountState) -> tuple[ColumnElement[bool], ...]:
    return col(Visit.site_id) == site.id, col(Visit.last_activity_at) >= state.until


def _is_at(site: Site, state: CountState, db: Connection) -> bool:
    return count_state(db, site) == state


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


def _has_fallen_behind(db: Connection, site: Site, counted_until: datetime) -> bool:
    """Whether there are more visits that are not counted than one statement is to read."""
    activity = col(Visit.last_activity_at)
    later = select(activity).where(col(Visit.site_id) == site.id, activity >= counted_until)
    return db.execute(later.order_by(activity).offset(MOST_UNCOUNTED).limit(1)).first() is not None
