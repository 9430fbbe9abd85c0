"""The page views of visits, read into columns of numpy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select
from sqlmodel import col

from core.listed import list_numbers, listed_numbers
from core.plain_rows import plain_rows
from core.tables import PageViewRow, Visit
from core.trends.filters import TrendFilters, are_wanted
from core.visits.calendar import Period

Integers = npt.NDArray[np.int64]

_VIEW = np.dtype([(name, np.int64) for name in ("visit", "at", "page")])


@dataclass(frozen=True, eq=False)
class VisitViews:
    """Page views as columns of one length, in the order of visit, time, tab and number; visits: each visit that has one, once."""

    visits: Integers
    visit: Integers
    at: Integers
    page: Integers


def read_sources(
    db: Connection, site_id: int, period: Period, filters: TrendFilters
) -> dict[int, str]:
    """The source of each of these visits, by its number."""
    wanted = are_wanted(site_id, period, filters)
    rows = plain_rows(db, select(col(Visit.number), col(Visit.source)).where(*wanted))
    return dict(rows)


def read_shown(db: Connection, site_id: int, visits: Iterable[int], pages: Integers) -> VisitViews:
    """The views of these pages by the visits with these numbers, without the time that they were in view."""
    columns = (col(PageViewRow.visit), col(PageViewRow.viewed_after), col(PageViewRow.page))
    statement = (
        select(*columns)
        .where(
            col(PageViewRow.site_id) == site_id,
            col(PageViewRow.visit).in_(listed_numbers(db, "visits")),
            col(PageViewRow.page).in_(listed_numbers(db, "pages")),
        )
        .order_by(col(PageViewRow.visit), col(PageViewRow.tab), col(PageViewRow.number))
    )
    listed = {"visits": list_numbers(visits), "pages": list_numbers(pages.tolist())}
    views = np.fromiter(plain_rows(db, statement.params(listed)), dtype=_VIEW)
    visit, at, page = (np.ascontiguousarray(views[name]) for name in _VIEW.fields or ())
    order = np.lexsort((at, visit))
    return VisitViews(np.unique(visit), visit[order], at[order], page[order])
