"""The pages that visits saw, each with the time that it was in view: until its tab's next one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from sqlalchemy import Connection, Select, select

from core.listed import list_numbers, listed_numbers
from core.plain_rows import plain_rows
from core.tables import Table
from core.visits.presence import SpanKind
from core.visits.row_keys import SPAN_KINDS

_IDS_AT_ONCE = 500
_NEVER = 1 << 60
_IN_VIEW = SPAN_KINDS[SpanKind.IN_VIEW]
_view, _span, _page = (
    Table.metadata.tables[name] for name in ("page_view_row", "visit_span_row", "page")
)

ShownPage = tuple[int, int, int, int, int]
"""A page view: the number of its visit, milliseconds after that began, its place among the visit's views in the order
of tabs and numbers, its page's id, and its seconds in view, rounded down."""

_Span = tuple[int, int]


def shown_pages(db: Connection, site_id: int, visits: Iterable[int]) -> Iterator[ShownPage]:
    """The page views of the site's visits that have these numbers; those of one visit stand together."""
    listed = list_numbers(visits)
    numbers, tabs, moments, pages = _read_views(db, site_id, listed)
    spans = _Spans(cast(Any, plain_rows(db, select_spans_in_view(db, site_id, listed))))
    total, first = len(pages), 0
    while first < total:
        visit, tab, after = numbers[first], tabs[first], first + 1
        while after < total and tabs[after] == tab and numbers[after] == visit:
            after += 1
        in_view, until = spans.of(visit, tab), _NEVER
        # The last one first; of one moment, that with the higher number.
        backwards = range(after - 1, first - 1, -1)
        for place in sorted(backwards, key=moments.__getitem__, reverse=True):
            at, length = moments[place], 0
            for begin, end in in_view:
                overlap = (end if end < until else until) - (begin if begin > at else at)
                if overlap > 0:
                    length += overlap
            until = at
            yield visit, at, place, pages[place], length // 1000
        first = after


class _Spans:
    """Spans in the order of their visits and tabs, which are asked for in the same order."""

    def __init__(self, rows: Iterator[tuple[int, int, int, int]]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, visit: int, tab: int) -> list[_Span]:
        """Begin and end, after the visit's begin, of each span of the visit's tab."""
        found: list[_Span] = []
        row = self._next
        while row is not None and (row[0] < visit or (row[0] == visit and row[1] <= tab)):
            if row[0] == visit and row[1] == tab:
                found.append((row[2], row[3]))
            row = next(self._rows, None)
        self._next = row
        return found


def select_views(db: Connection, site_id: int, visits: str) -> Select[int, int, int, int, int]:
    """Visit, tab, number, how long after the visit's begin, and page of each view; in the order of the first three.

    visits: their numbers, as `list_numbers` writes them.
    """
    in_order = (_view.c.visit, _view.c.tab, _view.c.number)
    columns = (*in_order, _view.c.viewed_after, _view.c.page)
    is_wanted = (_view.c.site_id == site_id, _view.c.visit.in_(listed_numbers(db, "visits")))
    return select(*columns).where(*is_wanted).order_by(*in_order).params(visits=visits)


def select_spans_in_view(db: Connection, site_id: int, visits: str) -> Select[int, int, int, int]:
    """Visit, tab, and begin and end after the visit's begin; in the order of visit and tab. visits: as above."""
    ends = _span.c.from_after + _span.c.length
    statement = select(_span.c.visit, _span.c.tab, _span.c.from_after, ends).where(
        _span.c.site_id == site_id,
        _span.c.visit.in_(listed_numbers(db, "visits")),
        _span.c.kind == _IN_VIEW,
    )
    return statement.order_by(_span.c.visit, _span.c.tab).params(visits=visits)


def _read_views(
    db: Connection, site_id: int, visits: str
) -> tuple[list[int], list[int], list[int], list[int]]:
    """The columns of `select_views`, without the number: Python looks for garbage again and again among so many rows, but not among numbers."""
    numbers: list[int] = []
    tabs: list[int] = []
    moments: list[int] = []
    pages: list[int] = []
    for number, tab, _, moment, page in plain_rows(db, select_views(db, site_id, visits)):
        numbers.append(number)
        tabs.append(tab)
        moments.append(moment)
        pages.append(page)
    return numbers, tabs, moments, pages


def texts_of(db: Connection, site_id: int, pages: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Path and context of these pages, by their ids."""
    ids = sorted(pages)
    texts: dict[int, tuple[str, str]] = {}
    for at in range(0, len(ids), _IDS_AT_ONCE):
        is_one = (_page.c.site_id == site_id, _page.c.id.in_(ids[at : at + _IDS_AT_ONCE]))
        rows = db.execute(select(_page.c.id, _page.c.path, _page.c.page_context).where(*is_one))
        texts.update((id, (path, context)) for id, path, context in rows)
    return texts
