"""Frames of counts: of raw rows, and of any parts added up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Connection, select, type_coerce
from sqlmodel import col

from core.moment import from_milliseconds, to_milliseconds
from core.rollups.counting import Count, count_visits
from core.rollups.days import counted_days, read_days
from core.rollups.dimensions import Dimension
from core.rollups.visitors import count_first_visits, count_visitors, read_first_visits
from core.tables import Site, VisitCount
from core.trends.filters import TrendFilters, are_wanted
from core.visits.calendar import Period, day_period, local_day

AT_ONCE = 20_000
"""Visits, about, that are counted by one statement: some 0.2 s, after which progress is told."""

_COLUMNS = list(Count._fields)
_KEY, _MEASURES = _COLUMNS[:2], _COLUMNS[2:]

TellDone = Callable[[int], None]
"""Is told after each part how many more visits are done, as `stretches` counts them."""


def no_counts() -> pd.DataFrame:
    """A frame of counts without a row."""
    return counts_frame(())


def counts_frame(counts: Iterable[Count]) -> pd.DataFrame:
    """The columns of `Count`."""
    rows = pd.DataFrame(list(counts), columns=_COLUMNS)
    types: dict[str, Any] = {**dict.fromkeys(_KEY, object), **dict.fromkeys(_MEASURES, "int64")}
    return rows.astype(types)


def add_up(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One frame of counts of several, each value once."""
    rows = pd.concat([no_counts(), *parts])
    return rows.groupby(_KEY, as_index=False, sort=False)[_MEASURES].sum()


def count_period(
    db: Connection,
    site: Site,
    period: Period,
    filters: TrendFilters,
    dimensions: Collection[Dimension],
    tell: TellDone,
) -> pd.DataFrame:
    """The counts of these dimensions, of the visits of the site that began in the period.

    Without filters whole days are taken as they were counted, also those whose visits retention has deleted.
    """
    if period.from_at >= period.until_at:
        return no_counts()
    assert site.id is not None
    days = _counted_within(db, site, period) if filters.is_empty else {}
    parts = [counts_frame(read_days(db, site.id, list(days), dimensions))]
    for gap in _gaps(period, list(days.values())):
        parts.append(_count_raw(db, site.id, gap, filters, dimensions, tell))
    return add_up(parts)


def _counted_within(db: Connection, site: Site, period: Period) -> dict[date, Period]:
    """The counted days that lie wholly in the period, in order, with their bounds."""
    first = local_day(site.time_zone, period.from_at)
    counted = counted_days(db, site, first)
    last = local_day(site.time_zone, period.until_at)
    days = {day: day_period(day, site.time_zone) for day in sorted(counted) if day <= last}
    return {
        day: bounds
        for day, bounds in days.items()
        if bounds.from_at >= period.from_at and bounds.until_at <= period.until_at
    }


def _gaps(period: Period, days: Sequence[Period]) -> list[Period]:
    """What of the period lies in none of the days, which are in order."""
    gaps: list[Period] = []
    from_at = period.from_at
    for day in [*days, Period(period.until_at, period.until_at)]:
        if from_at < day.from_at:
            gaps.append(Period(from_at, day.from_at))
        from_at = day.until_at
    return gaps


def _count_raw(
    db: Connection,
    site_id: int,
    period: Period,
    filters: TrendFilters,
    dimensions: Collection[Dimension],
    tell: TellDone,
) -> pd.DataFrame:
    """Of the visits that are stored."""
    sums = no_counts()
    for part, number in stretches(db, site_id, period):
        wanted = are_wanted(site_id, part, filters)
        sums = add_up([sums, counts_frame(count_visits(db, wanted, dimensions))])
        tell(number)
    return sums


def count_visitors_of(db: Connection, site: Site, period: Period, filters: TrendFilters) -> int:
    """How many different visitors that the site remembers began these visits. The period begins with a local day."""
    site_id = site.id or 0
    if not filters.is_empty:
        return count_visitors(db, are_wanted(site_id, period, filters))
    days = _counted_within(db, site, period)
    first = local_day(site.time_zone, period.from_at)
    visitors = read_first_visits(db, site_id, list(days), first)
    for gap in _gaps(period, list(days.values())):
        wanted = are_wanted(site_id, gap, filters)
        visitors += count_first_visits(db, wanted, period.from_at)
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
