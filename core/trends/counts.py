"""Counts of a period: of days that are counted, and of the raw rows of the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from sqlalchemy import BigInteger, Connection, select, type_coerce
from sqlmodel import col

from core.moment import from_milliseconds, to_milliseconds
from core.rollups.counting import Count, add_up
from core.rollups.dimensions import Dimension
from core.rollups.site_counts import read_days
from core.rollups.visitor_counts import count_first_visits, count_visitors, read_first_visits
from core.tables import VisitCount
from core.trends.counted_days import CountedDays, CountedSite
from core.trends.filters import TrendFilters, are_wanted
from core.trends.raw_counts import count_rows
from core.trends.side_by_side import read_parts
from core.visits.calendar import Period, local_day

AT_ONCE = 40_000
"""Visits, about, that are counted by one statement: some 0.2 s, after which progress is told."""

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
    known: CountedSite,
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
    assert known.site.id is not None
    counted = CountedDays.of(known, period, filters, OF_WHOLE_DAYS.issuperset(dimensions))
    # Added up as they come: what is held are the values, however many parts there are.
    counts = add_up(_found(db, known.site.id, counted, filters, dimensions, tell))
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


def count_visitors_of(
    db: Connection, known: CountedSite, period: Period, filters: TrendFilters
) -> int:
    """How many different visitors that the site remembers began these visits. The period begins with a local day."""
    site_id = known.site.id or 0
    if period.from_at >= period.until_at:
        return 0
    if not filters.is_empty:
        return count_visitors(db, are_wanted(site_id, period, filters))
    counted = CountedDays.of(known, period, filters, may_take_off=True)
    first = local_day(known.site.time_zone, period.from_at)
    visitors = read_first_visits(db, site_id, counted.days, first)
    if counted.uncounted:
        visitors += count_first_visits(db, counted.uncounted, period.from_at)
    for gap in counted.gaps:
        wanted = (*are_wanted(site_id, gap, filters), *counted.in_gaps)
        visitors += count_first_visits(db, wanted, period.from_at)
    for gap in counted.beyond:
        visitors -= count_first_visits(db, are_wanted(site_id, gap, filters), period.from_at)
    return visitors


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
