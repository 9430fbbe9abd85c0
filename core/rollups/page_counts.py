"""The pages that visits saw, each with the time that it was in view: until its tab's next one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter

from sqlalchemy import Connection, select

from core.listed import list_numbers, listed_numbers
from core.plain_rows import plain_rows
from core.tables import Table
from core.visits.presence import SpanKind
from core.visits.row_keys import SPAN_KINDS

_IDS_AT_ONCE = 500
_NEVER = 1 << 60
_IN_VIEW = SPAN_KINDS[SpanKind.IN_VIEW]
_BY_TIME = itemgetter(0, 1, 2)
_view, _span, _page = (
    Table.metadata.tables[name] for name in ("page_view_row", "visit_span_row", "page")
)


ShownPage = tuple[int, str, str, int]
"""A page view: the number of its visit, path, context, and its seconds in view, rounded down."""


def shown_pages(db: Connection, site_id: int, visits: Iterable[int]) -> list[ShownPage]:
    """The page views of the site's visits that have these numbers; those of one visit stand together."""
    listed = list_numbers(visits)
    views = list(_views(db, site_id, listed))
    texts = _texts_of(db, site_id, {view[3] for view in views})
    views.sort(key=_BY_TIME)  # of one moment, those with the lower number first
    spans = _spans_in_view(db, site_id, listed)
    shown: list[ShownPage] = []
    tab_after, next_at = None, _NEVER
    for visit, tab, at, page in reversed(views):
        of_tab = visit, tab
        until = next_at if of_tab == tab_after else _NEVER
        length = 0
        for begin, end in spans.get(of_tab, ()):
            overlap = (end if end < until else until) - (begin if begin > at else at)
            if overlap > 0:
                length += overlap
        shown.append((visit, *texts[page], length // 1000))
        tab_after, next_at = of_tab, at
    return shown


def _views(db: Connection, site_id: int, visits: str) -> Sequence[tuple[int, int, int, int]]:
    """Visit, tab, how long after the visit's begin, and page; by visit, tab and number."""
    columns = (_view.c.visit, _view.c.tab, _view.c.viewed_after, _view.c.page)
    is_wanted = (_view.c.site_id == site_id, _view.c.visit.in_(listed_numbers(db, "visits")))
    in_order = (_view.c.visit, _view.c.tab, _view.c.number)
    statement = select(*columns).where(*is_wanted).order_by(*in_order)
    return plain_rows(db, statement.params(visits=visits))


def _spans_in_view(
    db: Connection, site_id: int, visits: str
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Begin and end, after the visit's begin, of each span of a visit's tab."""
    ends = _span.c.from_after + _span.c.length
    statement = select(_span.c.visit, _span.c.tab, _span.c.from_after, ends).where(
        _span.c.site_id == site_id,
        _span.c.visit.in_(listed_numbers(db, "visits")),
        _span.c.kind == _IN_VIEW,
    )
    spans: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for visit, tab, begin, end in plain_rows(db, statement.params(visits=visits)):
        spans.setdefault((visit, tab), []).append((begin, end))
    return spans


def _texts_of(db: Connection, site_id: int, pages: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Path and context of these pages, by their ids."""
    ids = sorted(pages)
    texts: dict[int, tuple[str, str]] = {}
    for at in range(0, len(ids), _IDS_AT_ONCE):
        is_one = (_page.c.site_id == site_id, _page.c.id.in_(ids[at : at + _IDS_AT_ONCE]))
        rows = db.execute(select(_page.c.id, _page.c.path, _page.c.page_context).where(*is_one))
        texts.update((id, (path, context)) for id, path, context in rows)
    return texts
