"""What narrows every card of the trends at once, and the visits that it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import col

from core.moment import to_milliseconds
from core.rollups.dimensions import RETURNING, STARTED_AT, VALUES
from core.tables import Page, PageViewRow, Visit
from core.visits.calendar import Period


@dataclass(frozen=True)
class TrendFilters:
    """The values that visits must have; None: any, "": unknown or none. Each is the `value` of a row of the frame
    of its name in `Trends`. page and context: of any page that the visit saw. returning: a value of `Returning`.
    """

    source: str | None = None
    campaign: str | None = None
    country: str | None = None
    device: str | None = None
    browser: str | None = None
    entry_page: str | None = None
    exit_page: str | None = None
    page: str | None = None
    context: str | None = None
    returning: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether they let every visit through."""
        return all(getattr(self, field.name) is None for field in fields(self))


NO_FILTERS = TrendFilters()


def are_wanted(site_id: int, period: Period, filters: TrendFilters) -> list[ColumnElement[bool]]:
    """The conditions on `visit`: those of the site that began in the period, and have what the filters ask for."""
    began: list[Any] = [
        col(Visit.site_id) == site_id,
        to_milliseconds(period.from_at) <= STARTED_AT,
        to_milliseconds(period.until_at) > STARTED_AT,
    ]
    return are_narrowed(site_id, began, filters)


def are_narrowed(
    site_id: int, visits: Sequence[ColumnElement[bool]], filters: TrendFilters
) -> list[ColumnElement[bool]]:
    """The conditions on `visit`: those for which these hold, which are of the site, and that have what the filters ask
    for."""
    wanted: list[Any] = [*visits]
    for dimension, column in VALUES.items():
        if (value := getattr(filters, dimension.value)) is not None:
            wanted.append(column == value)
    if filters.returning is not None:
        wanted.append(RETURNING.in_([filters.returning]))
    if filters.page is not None:
        wanted.append(_saw(site_id, visits, col(Page.path) == filters.page))
    if filters.context is not None:
        wanted.append(_saw(site_id, visits, col(Page.page_context) == filters.context))
    return wanted


def _saw(
    site_id: int, visits: Sequence[ColumnElement[bool]], is_page: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether the visit has a view of one of these pages.

    Views stand in the order of their visits' numbers, which grow with time: those from the lowest to the highest number
    of the `visits` are read once, which takes a fraction of asking for each visit.
    """
    pages = select(col(Page.id)).where(col(Page.site_id) == site_id, is_page)
    lowest, highest = (
        # With a sum in it no database looks for the edge along the numbers of all visits.
        select(edge(col(Visit.number) + 0)).where(*visits).scalar_subquery()
        for edge in (func.min, func.max)
    )
    views = select(col(PageViewRow.visit)).where(
        col(PageViewRow.site_id) == site_id,
        col(PageViewRow.visit).between(lowest, highest),
        col(PageViewRow.page).in_(pages),
    )
    return col(Visit.number).in_(views)
