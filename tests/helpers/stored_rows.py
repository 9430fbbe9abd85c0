"""Rows of visits as a test writes them down, stored as the collector stores them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, cast

from sqlalchemy import Connection, insert, select, update

from core.database import insert_into
from core.moment import to_milliseconds
from core.tables import (
    Page,
    PageView,
    PageViewRow,
    Table,
    View,
    Visit,
    VisitSpan,
    VisitSpanRow,
)
from core.visits.presence import SpanKind
from core.visits.row_keys import SPAN_KINDS, page_id
from core.visits.visit_sequence import take_numbers

_visit, _page = (cast(Any, table).__table__ for table in (Visit, Page))


def store_row(db: Connection, row: Table | View) -> None:
    """Store a row of any table, a page view or a span; a visit gets its number."""
    if isinstance(row, Visit):
        store_visits(db, [row.model_dump(warnings=False)])
    elif isinstance(row, PageView):
        store_views(db, [row.model_dump(warnings=False)])
    elif isinstance(row, VisitSpan):
        store_spans(db, [row.model_dump(warnings=False)])
    else:
        db.execute(insert(type(row)), [row.model_dump(warnings=False)])


def store_visits(db: Connection, visits: Iterable[Mapping[str, Any]]) -> None:
    """Store visits, numbered in this order."""
    of_site: dict[int, list[Mapping[str, Any]]] = {}
    for visit in visits:
        of_site.setdefault(visit["site_id"], []).append(visit)
    for site_id, rows in of_site.items():
        first = take_numbers(db, site_id, len(rows))
        db.execute(
            insert(Visit), [{**row, "number": number} for number, row in enumerate(rows, first)]
        )


def store_views(db: Connection, views: Iterable[Mapping[str, Any]]) -> None:
    """Store page views of visits that are stored; a tab may be named by a letter."""
    views = list(views)
    known = _numbers(db, views)
    rows: list[dict[str, Any]] = []
    uses: Counter[tuple[int, str, str, str]] = Counter()
    for view in views:
        number, started_at = known[view["site_id"], view["visit_id"]]
        path, title, context = (view.get(name, "") for name in ("path", "title", "page_context"))
        uses[view["site_id"], path, title, context] += 1
        rows.append(
            {
                "site_id": view["site_id"],
                "visit": number,
                "tab": _tab(view["tab"]),
                "number": view["number"],
                "viewed_after": to_milliseconds(view["viewed_at"]) - started_at,
                "page": page_id(path, title, context),
            }
        )
    for page, count in uses.items():
        _use(db, *page, count)
    db.execute(insert(PageViewRow), rows)


def store_spans(db: Connection, spans: Iterable[Mapping[str, Any]]) -> None:
    """Store spans of visits that are stored; a tab may be named by a letter."""
    spans = list(spans)
    known = _numbers(db, spans)
    rows: list[dict[str, Any]] = []
    for span in spans:
        number, started_at = known[span["site_id"], span["visit_id"]]
        from_at, until_at = (to_milliseconds(span[name]) for name in ("from_at", "until_at"))
        rows.append(
            {
                "site_id": span["site_id"],
                "visit": number,
                "tab": _tab(span["tab"]),
                "kind": SPAN_KINDS[SpanKind(span["kind"])],
                "number": span["number"],
                "is_open": span.get("is_open", True),
                "from_after": from_at - started_at,
                "length": until_at - from_at,
            }
        )
    db.execute(insert(VisitSpanRow), rows)


def _use(db: Connection, site_id: int, path: str, title: str, context: str, uses: int) -> None:
    id = page_id(path, title, context)
    known = (_page.c.site_id == site_id, _page.c.id == id)
    if not db.execute(update(_page).where(*known).values(uses=_page.c.uses + uses)).rowcount:
        texts = {"path": path, "title": title, "page_context": context}
        page = Page(site_id=site_id, id=id, uses=uses, **texts)
        db.execute(insert_into(db, _page).values(**page.model_dump()))


def _numbers(
    db: Connection, rows: Iterable[Mapping[str, Any]]
) -> dict[tuple[int, str], tuple[int, int]]:
    """Of each row's visit: its number and its start."""
    keys = {(row["site_id"], row["visit_id"]) for row in rows}
    found: dict[tuple[int, str], tuple[int, int]] = {}
    for site_id in {site_id for site_id, _ in keys}:
        ids = [id for site, id in keys if site == site_id]
        for at in range(0, len(ids), 500):
            part = db.execute(
                select(_visit.c.id, _visit.c.number, _visit.c.started_at).where(
                    _visit.c.site_id == site_id, _visit.c.id.in_(ids[at : at + 500])
                )
            )
            for id, number, started_at in part:
                found[site_id, id] = (number, to_milliseconds(started_at))
    return found


def _tab(tab: int | str) -> int:
    return tab if isinstance(tab, int) else ord(tab[0]) - ord("a") + 1
