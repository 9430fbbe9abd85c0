"""The page views of visits, read into columns of numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select
from sqlmodel import col

from core.tables import PageViewRow, Visit
from core.trends.filters import TrendFilters, are_wanted
from core.visits.calendar import Period

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class VisitViews:
    """Page views as columns of one length, in the order of visit and time; visits: each visit that has one, once."""

    visits: Integers
    visit: Integers
    at: Integers
    page: Integers


def read_sources(
    db: Connection, site_id: int, period: Period, filters: TrendFilters
) -> dict[int, str]:
    """The source of each of these visits, by its number."""
    wanted = are_wanted(site_id, period, filters)
    rows = db.execute(select(col(Visit.number), col(Visit.source)).where(*wanted))
    return dict(rows.tuples().all())


def read_shown(db: Connection, site_id: int, period: Period, filters: TrendFilters) -> VisitViews:
    """The page views of these visits, without the time that they were in view."""
    is_its = (col(PageViewRow.site_id) == col(Visit.site_id)) & (
        col(PageViewRow.visit) == col(Visit.number)
    )
    statement = (
        select(col(PageViewRow.visit), col(PageViewRow.viewed_after), col(PageViewRow.page))
        .select_from(Visit)
        .join(PageViewRow, is_its)
        .where(*are_wanted(site_id, period, filters))
    )
    rows = db.execute(statement).tuples().all()
    visit, at, page = map(_numbers, zip(*rows, strict=True) if rows else ((), (), ()))
    order = np.lexsort((at, visit))
    return VisitViews(np.unique(visit), visit[order], at[order], page[order])


def _numbers(column: Sequence[int]) -> Integers:
    return np.array(column, dtype=np.int64)
