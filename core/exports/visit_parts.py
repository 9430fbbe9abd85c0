"""The rows that visits have in other tables, as the views show them, for many visits at once.

The views find their rows by one visit: asked for many, SQLite reads all that the site has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from core.tables import Table
from core.visits.row_keys import CHANGE_KINDS, SPAN_KINDS

_page, _view, _span, _change = (
    Table.metadata.tables[name]
    for name in ("page", "page_view_row", "visit_span_row", "visit_change_row")
)
_SPAN_NAMES, _CHANGE_NAMES = (
    {number: kind.value for kind, number in kinds.items()} for kinds in (SPAN_KINDS, CHANGE_KINDS)
)


class VisitStart(NamedTuple):
    """A visit, and when it began, in milliseconds since the epoch."""

    number: int
    id: str
    started_at: int


Rows = Sequence[tuple[Any, ...]]


def views_of(db: Connection, site_id: int, visits: Sequence[VisitStart]) -> Rows:
    """Their rows of `page_view`, without the site, by visit, tab and number."""
    query = (
        select(
            _view.c.visit, _view.c.tab, _view.c.number, _view.c.viewed_after,
            _page.c.path, _page.c.title, _page.c.page_context,
        )
        .join(_page, (_page.c.site_id == _view.c.site_id) & (_page.c.id == _view.c.page))
    )  # fmt: skip
    return [
        (visit.id, row.tab, row.number, visit.started_at + row.viewed_after, *row[4:])
        for visit, row in _found(db, query, _view, site_id, visits)
    ]


def spans_of(db: Connection, site_id: int, visits: Sequence[VisitStart]) -> Rows:
    """Their rows of `visit_span`, without the site, by visit, tab, kind and number."""
    rows: list[tuple[Any, ...]] = []
    for visit, row in _found(db, select(_span), _span, site_id, visits):
        from_at = visit.started_at + row.from_after
        kind = _SPAN_NAMES[row.kind]
        until_at = from_at + row.length
        rows.append((visit.id, row.tab, kind, row.number, from_at, until_at, row.is_open))
    return rows


def changes_of(db: Connection, site_id: int, visits: Sequence[VisitStart]) -> Rows:
    """Their rows of `visit_change`, without the site, by visit and number."""
    is_page = (_page.c.site_id == _change.c.site_id) & (_page.c.id == _change.c.page)
    query = select(
        _change, _page.c.path, _page.c.title, _page.c.page_context
    ).join(_page, is_page, isouter=True)  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for visit, row in _found(db, query, _change, site_id, visits):
        changed_at = visit.started_at + row.changed_after
        page = (row.path or "", row.title or "", row.page_context or "")
        rows.append((visit.id, row.number, changed_at, _CHANGE_NAMES[row.kind], *page, row.told))
    return rows


PARTS: Mapping[str, Callable[[Connection, int, Sequence[VisitStart]], Rows]] = {
    "page_view": views_of,
    "visit_span": spans_of,
    "visit_change": changes_of,
}
"""What reads the rows of each view; their columns are those of the view, in its order."""


def _found(
    db: Connection, query: Any, table: Any, site_id: int, visits: Sequence[VisitStart]
) -> list[tuple[VisitStart, Any]]:
    by_number = {visit.number: visit for visit in visits}
    of_visits = table.c.site_id == site_id, table.c.visit.in_([*by_number])
    keys = [column for column in table.primary_key if column.name != "site_id"]
    rows = db.execute(query.where(*of_visits).order_by(*keys))
    return [(by_number[row.visit], row) for row in rows]
