"""The sources and page views of visits, as a funnel takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, Connection, select
from sqlmodel import col

from core.listed import list_numbers, listed_numbers
from core.rollups.dimensions import Dimension
from core.tables import PageViewRow, Visit
from core.trends.column_texts import Integers, coded, read_columns, read_integers
from core.trends.visit_arrays import VisitArrays


@dataclass(frozen=True, eq=False)
class VisitViews:
    """Page views as columns of one length, in the order of visit, time, tab and number; visits: each visit that has one, once."""

    visits: Integers
    visit: Integers
    at: Integers
    page: Integers


@dataclass(frozen=True, eq=False)
class VisitSources:
    """Visits by their numbers, or places, in ascending order. codes: of each the place of its source among the names."""

    visits: Integers
    codes: Integers
    names: Sequence[str]


def read_sources(db: Connection, wanted: Sequence[ColumnElement[bool]]) -> VisitSources:
    """The source of each visit for which the conditions hold."""
    numbers, sources = read_columns(db, select(col(Visit.number), col(Visit.source)).where(*wanted))
    visits = np.array(numbers, np.int64)
    names, codes = coded(sources)
    order = np.argsort(visits)
    return VisitSources(visits[order], codes[order], names)


def read_shown(db: Connection, site_id: int, visits: Integers, pages: Integers) -> VisitViews:
    """The views of these pages by the visits with these numbers, without the time that they were in view."""
    columns = (
        *(col(PageViewRow.visit), col(PageViewRow.tab), col(PageViewRow.number)),
        *(col(PageViewRow.viewed_after), col(PageViewRow.page)),
    )
    statement = select(*columns).where(
        col(PageViewRow.site_id) == site_id,
        col(PageViewRow.visit).in_(listed_numbers(db, "visits")),
        col(PageViewRow.page).in_(listed_numbers(db, "pages")),
    )
    listed = {"visits": list_numbers(visits.tolist()), "pages": list_numbers(pages.tolist())}
    visit, tab, number, at, page = read_integers(db, statement.params(listed))
    order = np.lexsort((number, tab, at, visit))
    return VisitViews(np.unique(visit), visit[order], at[order], page[order])


def shown_of(visits: VisitArrays, pages: Integers) -> tuple[VisitSources, VisitViews | None]:
    """The same of visits that were read from chunks, with their sources and views; by their places."""
    names, codes = visits.texts[Dimension.SOURCE]
    sources = VisitSources(np.arange(len(visits.began)), codes, names)
    if visits.views is None or not len(visits.began):
        return sources, None
    is_one = np.isin(visits.views.page, pages)  # they stand in the order that is asked for
    visit, after, page = (
        column[is_one] for column in (visits.views.visit, visits.views.after, visits.views.page)
    )
    return sources, VisitViews(np.unique(visit), visit, after, page)
