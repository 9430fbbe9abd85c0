"""The pages that visits saw, each with the time that it was in view: until its tab's next one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, cast, func, select

from core.tables import Table
from core.visits.presence import SpanKind
from core.visits.row_keys import SPAN_KINDS

_IDS_AT_ONCE = 500
_NEVER = 1 << 60
_IN_VIEW = SPAN_KINDS[SpanKind.IN_VIEW]
_visit, _view, _span, _page = (
    Table.metadata.tables[name] for name in ("visit", "page_view_row", "visit_span_row", "page")
)


class ShownPage(NamedTuple):
    """A page view. visit: its number. page_count: the visit's page views. seconds: in view, rounded down."""

    visit: int
    page_count: int
    path: str
    context: str
    seconds: int


def shown_pages(db: Connection, wanted: Sequence[ColumnElement[bool]]) -> list[ShownPage]:
    """The page views of the visits for which the conditions on `visit` hold: they are of one site."""
    rows = db.execute(_select(wanted, is_sqlite=db.dialect.name == "sqlite")).all()
    texts = _texts_of(db, rows[0][0], {row[3] for row in rows}) if rows else {}
    return [
        ShownPage(visit, page_count, *texts[page], seconds)
        for _, visit, page_count, page, seconds in rows
    ]


def _select(
    wanted: Sequence[ColumnElement[bool]], *, is_sqlite: bool
) -> Select[int, int, int, int, int]:
    """Site, visit, the visit's page views, page, seconds."""
    following = func.lead(_view.c.viewed_after).over(
        partition_by=(_view.c.visit, _view.c.tab),
        order_by=(_view.c.viewed_after, _view.c.number),
    )
    of = select(_visit.c.site_id, _visit.c.number, _visit.c.page_count).where(*wanted).cte("of")
    of = of.prefix_with("MATERIALIZED")  # or SQLite may look through all page views of the site
    is_its = and_(_view.c.site_id == of.c.site_id, _view.c.visit == of.c.number)
    shown = (
        select(
            _view.c.site_id,
            _view.c.visit,
            _view.c.tab,
            _view.c.viewed_after,
            _view.c.page,
            of.c.page_count,
            following.label("next_after"),
        )
        .select_from(of.join(_view, is_its))
        .cte("shown")
    )
    earlier, later = (func.min, func.max) if is_sqlite else (func.least, func.greatest)
    until = earlier(_span.c.from_after + _span.c.length, func.coalesce(shown.c.next_after, _NEVER))
    overlap = until - later(_span.c.from_after, shown.c.viewed_after)
    in_view = select(func.coalesce(func.sum(later(overlap, 0)), 0)).where(
        _span.c.site_id == shown.c.site_id,
        _span.c.visit == shown.c.visit,
        _span.c.tab == shown.c.tab,
        _span.c.kind == _IN_VIEW,
    )
    seconds = cast(in_view.correlate(shown).scalar_subquery(), BigInteger) // 1000
    return select(shown.c.site_id, shown.c.visit, shown.c.page_count, shown.c.page, seconds)


def _texts_of(db: Connection, site_id: int, pages: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Path and context of these pages, by their ids."""
    ids = sorted(pages)
    texts: dict[int, tuple[str, str]] = {}
    for at in range(0, len(ids), _IDS_AT_ONCE):
        is_one = (_page.c.site_id == site_id, _page.c.id.in_(ids[at : at + _IDS_AT_ONCE]))
        rows = db.execute(select(_page.c.id, _page.c.path, _page.c.page_context).where(*is_one))
        texts.update((id, (path, context)) for id, path, context in rows)
    return texts
