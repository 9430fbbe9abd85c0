"""Counts of a period: of days that are counted, and of the other visits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from core.rollups.counting import Count, add_up
from core.rollups.dimensions import Dimension
from core.rollups.site_counts import read_days
from core.rollups.visit_columns import visitor_number
from core.rollups.visitor_counts import (
    count_first_visits,
    count_visitors,
    read_first_visits,
    visitors_of,
)
from core.trends.chunk_arrays import read_chunks, read_visitors
from core.trends.column_texts import Integers
from core.trends.counted_days import CountedDays, CountedSite
from core.trends.filters import TrendFilters, are_wanted
from core.trends.raw_counts import count_rows
from core.trends.side_by_side import read_parts
from core.trends.slot_counts import SlotCounts, read_slots
from core.trends.visit_arrays import count_arrays
from core.trends.visit_parts import VisitPart, parts_of
from core.visits.calendar import Period, local_day

OF_WHOLE_DAYS = frozenset({Dimension.SLOT, Dimension.TIME})
"""Of which a day keeps every value: what is taken off a day of these leaves no value less than nothing."""

TellDone = Callable[[int], None]
"""Is told after each part how many more visits are done, as `visit_parts` counts them."""


class PeriodCounts(NamedTuple):
    """What was counted of a period: the slots, and the counts of each other dimension, in no order, each value once; of a
    dimension that was not asked for, none."""

    slots: SlotCounts
    values: Mapping[Dimension, Sequence[Count]]


def count_period(
    db: Connection,
    known: CountedSite,
    period: Period,
    filters: TrendFilters,
    dimensions: Collection[Dimension],
    tell: TellDone,
) -> PeriodCounts:
    """The counts of these dimensions, of the visits of the site that began in the period.

    Without filters, of whole days what is counted is read, also of visits that retention has deleted; and the visits
    that are not counted yet.
    """
    values: dict[Dimension, list[Count]] = {dimension: [] for dimension in Dimension}
    slots = None
    if dimensions and period.from_at < period.until_at:
        counted = CountedDays.of(known, period, filters, OF_WHOLE_DAYS.issuperset(dimensions))
        if Dimension.SLOT in dimensions:
            slots = read_slots(db, known.site.id or 0, counted.days)
        # Added up as they come: what is held are the values, however many parts there are.
        for count in add_up(_found(db, known, counted, filters, dimensions, tell)):
            if count.visits or not counted.beyond:
                values[Dimension(count.dimension)].append(count)
    return PeriodCounts(SlotCounts.of(values.pop(Dimension.SLOT), slots), values)


def _found(
    db: Connection,
    known: CountedSite,
    counted: CountedDays,
    filters: TrendFilters,
    dimensions: Collection[Dimension],
    tell: TellDone,
) -> Iterator[Count]:
    site_id = known.site.id or 0
    yield from read_days(db, site_id, counted.days, [*{*dimensions} - {Dimension.SLOT}])
    if counted.uncounted:
        yield from count_rows(db, site_id, counted.uncounted, dimensions)

    def count(db: Connection, part: tuple[VisitPart, int]) -> Sequence[Count]:
        return [*_count_part(db, site_id, part[0], dimensions)]

    parts = [
        (part, sign)
        for gaps, sign in ((counted.gaps, 1), (counted.beyond, -1))
        for gap in gaps
        for part in parts_of(db, known, gap, filters, *counted.in_gaps)
    ]
    for (part, sign), counts in read_parts(db, parts, count, is_level=known.is_level):
        yield from counts if sign > 0 else map(_taken_off, counts)
        tell(part.visits)


def _count_part(
    db: Connection, site_id: int, part: VisitPart, dimensions: Collection[Dimension]
) -> Iterator[Count]:
    if part.asked is None:
        return count_rows(db, site_id, part.wanted, dimensions)
    visits = read_chunks(db, part.chunks, part.asked, dimensions)
    return count_arrays(db, site_id, visits, dimensions)


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
        return _count_filtered_visitors(db, known, period, filters)
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


def _count_filtered_visitors(
    db: Connection, known: CountedSite, period: Period, filters: TrendFilters
) -> int:
    site_id = known.site.id or 0
    if known.unchunked is None:
        return count_visitors(db, are_wanted(site_id, period, filters))

    def read(db: Connection, part: VisitPart) -> Integers:
        if part.asked is not None:
            return read_visitors(db, part.chunks, part.asked)
        ids = visitors_of(db, part.wanted)
        return np.fromiter(map(visitor_number, ids), np.int64, len(ids))

    parts = parts_of(db, known, period, filters)
    found = [visitors for _, visitors in read_parts(db, parts, read, is_level=known.is_level)]
    numbers = np.concatenate([np.empty(0, np.int64), *found])
    found.clear()  # of millions of visitors numpy's own `unique` would take several times the memory
    numbers.sort()
    return int(len(numbers) > 0) + int(np.count_nonzero(numbers[1:] != numbers[:-1]))
