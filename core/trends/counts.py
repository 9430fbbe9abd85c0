"""Frames of counts: of raw rows, and of any parts added up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Connection, func, select, type_coerce
from sqlmodel import col

from core.moment import from_milliseconds, to_milliseconds
from core.rollups.counting import Count, count_visits
from core.rollups.dimensions import Dimension
from core.tables import Visit, VisitCount
from core.trends.filters import TrendFilters, are_wanted
from core.visits.calendar import Period

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


def count_raw(
    db: Connection,
    site_id: int,
    period: Period,
    filters: TrendFilters,
    dimensions: Collection[Dimension],
    tell: TellDone,
) -> pd.DataFrame:
    """The counts of these dimensions, of the visits that are stored."""
    sums = no_counts()
    for part, number in stretches(db, site_id, period):
        wanted = are_wanted(site_id, part, filters)
        sums = add_up([sums, counts_frame(count_visits(db, wanted, dimensions))])
        tell(number)
    return sums


def count_visitors(db: Connection, site_id: int, period: Period, filters: TrendFilters) -> int:
    """How many visitors that the site remembers began these visits."""
    wanted = (*are_wanted(site_id, period, filters), col(Visit.visitor_id) != "")
    different = func.count(col(Visit.visitor_id).distinct())
    return db.execute(select(different).where(*wanted)).scalar_one()


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
