"""Counts of a period: of days that are counted, and of the raw rows of the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import BigInteger, ColumnElement, Connection, select, type_coerce
from sqlmodel import col

from core.moment import from_milliseconds, to_milliseconds
from core.rollups.counting import Count, add_up
from core.rollups.day_number import number_of
from core.rollups.dimensions import Dimension, began_within
from core.rollups.site_counts import CountState, count_state, read_days
from core.rollups.visitor_counts import count_first_visits, count_visitors, read_first_visits
from core.tables import Site, Visit, VisitCount
from core.trends.filters import TrendFilters, are_wanted
from core.trends.raw_counts import count_rows
from core.trends.side_by_side import read_parts
from core.visits.calendar import Period, day_period, local_day

AT_ONCE = 40_000
"""Visits, about, that are counted by one statement: some 0.2 s, after which progress is told."""

MOST_UNCOUNTED = 50_000
"""Visits that one statement reads besides what is counted: usually those of the last two hours."""

OF_WHOLE_DAYS = frozenset({Dimension.SLOT, Dimension.TIME})
"""Of which a day keeps every value: what is taken off a day of these leaves no value less than nothing."""

TellDone = Callable[[int], None]
"""Is told after each part how many more visits are done, as `stretches` counts them."""


def by_dimension(counts: Iterable[Count]) -> Mapping[Dimension, Sequence[Count]]:
    """The counts of each dimension, in no order; of one without any, none."""
    found: dict[str, list[Count]] = {dimension.value: [] for dimension in Dimension}
    for count in counts:
        found[count.dimension].append(count)
    return {dimension: found[dimension.value] for dimension in Dimension}


def count_period(
    db: Connection,
    site: Site,
    period: Period,
    filters: TrendFilters,
    dimensions: Collection[Dimension],
    tell: TellDone,
) -> list[Count]:
    """The counts of these dimensions, of the visits of the site that began in the period; each value once.

    Without filters, of whole days what is counted is read, also of visits that retention has deleted; and the rows
    of those that are not counted yet.
    """
    if period.from_at >= period.until_at:
        return []
    assert site.id is not None
    counted = CountedDays.of(db, site, period, filters, OF_WHOLE_DAYS.issuperset(dimensions))
    # Added up as they come: what is held are the values, however many parts there are.
    counts = add_up(_found(db, site.id, counted, filters, dimensions, tell))
    return [count for count in counts if count.visits] if counted.beyond else counts


def _found(
    db: Connection,
    site_id: int,
    counted: CountedDays,
    filters: TrendFilters,
    dimensions: Collection[Dimension],
    tell: TellDone,
) -> Iterator[Count]:
    yield from read_days(db, site_id, counted.days, dimensions)
    if counted.uncounted:
        yield from count_rows(db, site_id, counted.uncounted, dimensions)

    def count(db: Connection, part: tuple[Period, int, int]) -> Sequence[Count]:
        wanted = (*are_wanted(site_id, part[0], filters), *counted.in_gaps)
        return [*count_rows(db, site_id, wanted, dimensions)]

    signs = [(gap, 1) for gap in counted.gaps] + [(gap, -1) for gap in counted.beyond]
    parts = [(*part, sign) for gap, sign in signs for part in stretches(db, site_id, gap)]
    for (_, number, sign), counts in read_parts(db, parts, count, is_level=counted.is_level):
        yield from counts if sign > 0 else map(_taken_off, counts)
        tell(number)


def _taken_off(count: Count) -> Count:
    return Count(count.dimension, count.value, *(-number for number in count[2:]))


def count_visitors_of(db: Connection, site: Site, period: Period, filters: TrendFilters) -> int:
    """How many different visitors that the site remembers began these visits. The period begins with a local day."""
    site_id = site.id or 0
    if period.from_at >= period.until_at:
        return 0
    if not filters.is_empty:
        return count_visitors(db, are_wanted(site_id, period, filters))
    counted = CountedDays.of(db, site, period, filters, may_take_off=True)
    first = local_day(site.time_zone, period.from_at)
    visitors = read_first_visits(db, site_id, counted.days, first)
    if counted.uncounted:
        visitors += count_first_visits(db, counted.uncounted, period.from_at)
    for gap in counted.gaps:
        wanted = (*are_wanted(site_id, gap, filters), *counted.in_gaps)
        visitors += count_first_visits(db, wanted, period.from_at)
    for gap in counted.beyond:
        visitors -= count_first_visits(db, are_wanted(site_id, gap, filters), period.from_at)
    return visitors


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
        db: Connection,
        site: Site,
        period: Period,
        filters: TrendFilters,
        may_take_off: bool = False,
    ) -> CountedDays:
        """None with filters, and where so much is not counted that it is read part by part.

        may_take_off: whether there may be something `beyond`.
        """
        state = count_state(db, site)
        days = _whole_days(site.time_zone, period) if filters.is_empty else []
        if not state.is_current or _has_fallen_behind(db, site, state.until):
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
        uncounted = (
            col(Visit.site_id) == site.id,
            col(Visit.last_activity_at) >= state.until,
            state.are_not_held,
            *began_within(bounds),
        )
        around = (Period(period.from_at, bounds.from_at), Period(bounds.until_at, period.until_at))
        gaps = [gap for gap in around if gap.from_at < gap.until_at]
        return cls(days, uncounted, gaps, beyond=beyond)


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


def stretches(db: Connection, site_id: int, period: Period) -> list[tuple[Period, int]]:
    """The period in parts of about AT_ONCE visits, each with how many had begun in it: by the counts of visits, which
    are kept; so that the parts take about as long each."""
    starts_at, visits = type_coerce(col(VisitCount.starts_at), BigInteger), col(VisitCount.visits)
    counted = (
        select(starts_at, visits)
        .where(
            col(VisitCount.site_id) == site_id,
            starts_at >= to_milliseconds(period.from_at),
            starts_at < to_milliseconds(period.until_at),
        )
        .order_by(starts_at)
    )
    parts: list[tuple[Period, int]] = []
    from_at, total = period.from_at, 0
    for starts, number in db.execute(counted).tuples():
        if total and total + number > AT_ONCE:
            until_at = from_milliseconds(starts)
            parts.append((Period(from_at, until_at), total))
            from_at, total = until_at, 0
        total += number
    return [*parts, (Period(from_at, period.until_at), total)]
