"""One visit and everything that is known of it, each query by a primary key."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select, text
from sqlmodel import col

from core.random_id import is_id
from core.tables import PageView, Visit, VisitSpan
from core.visits.live_visits import LIVE_COLUMNS
from core.visits.presence import SpanKind

_IS_SUCCESSOR = text("follows <> ''")
_IS_REMEMBERED = text("visitor_id <> ''")
"""The conditions of the partial indexes, word for word, so that both databases use them."""


def find_visit(db: Connection, site_id: int, visit_id: str) -> Visit | None:
    """The visit, ended or not; None when the site has no visit of this id."""
    if not is_id(visit_id):
        return None
    row = db.execute(select(Visit).where(*_is_visit(site_id, visit_id))).mappings().one_or_none()
    return None if row is None else Visit(**row)


def visit_as_listed(db: Connection, site_id: int, visit_id: str) -> Sequence[Row[Any]]:
    """The visit in the columns of the live list (LIVE_COLUMNS): one row, or none."""
    return db.execute(select(*LIVE_COLUMNS).where(*_is_visit(site_id, visit_id))).all()


def page_views(db: Connection, site_id: int, visit_id: str) -> list[PageView]:
    """The visit's page views in the order in which the pages were shown."""
    statement = (
        select(PageView)
        .where(col(PageView.site_id) == site_id, col(PageView.visit_id) == visit_id)
        .order_by(col(PageView.viewed_at), col(PageView.tab), col(PageView.number))
    )
    return [PageView(**row) for row in db.execute(statement).mappings()]


def spans(db: Connection, site_id: int, visit_id: str, kind: SpanKind) -> list[VisitSpan]:
    """The stretches of one kind in the visit's tabs, in the order of their start."""
    statement = (
        select(VisitSpan)
        .where(
            col(VisitSpan.site_id) == site_id,
            col(VisitSpan.visit_id) == visit_id,
            col(VisitSpan.kind) == kind.value,
        )
        .order_by(col(VisitSpan.from_at), col(VisitSpan.tab), col(VisitSpan.number))
    )
    return [VisitSpan(**row) for row in db.execute(statement).mappings()]


def predecessor(db: Connection, visit: Visit) -> Visit | None:
    """The visit before this one: that it follows, else the remembered visitor's last one before it.

    None when there is none, or it is deleted.
    """
    if visit.follows:
        return find_visit(db, visit.site_id, visit.follows)
    earlier = _of_visitor(visit).where(col(Visit.started_at) < visit.started_at)
    return _first(db, visit, earlier.order_by(col(Visit.started_at).desc()))


def successors(db: Connection, visit: Visit) -> list[Visit]:
    """The visits after this one, oldest first: that follow it, else the remembered visitor's next one.

    Usually none or one.
    """
    statement = select(Visit).where(
        col(Visit.site_id) == visit.site_id, col(Visit.follows) == visit.id, _IS_SUCCESSOR
    )
    found = [Visit(**row) for row in db.execute(statement).mappings()]
    if not found:
        later = _of_visitor(visit).where(col(Visit.started_at) > visit.started_at)
        following = _first(db, visit, later.order_by(col(Visit.started_at)))
        return [following] if following else []
    # Sorted here: with ORDER BY, SQLite reads all of the site's visits by their start.
    return sorted(found, key=lambda visit: (visit.started_at, visit.id))


def _of_visitor(visit: Visit) -> Select[Visit]:
    return select(Visit).where(
        col(Visit.site_id) == visit.site_id,
        col(Visit.visitor_id) == visit.visitor_id,
        _IS_REMEMBERED,
    )


def _first(db: Connection, visit: Visit, statement: Select[Visit]) -> Visit | None:
    """None without a question where the visitor is not remembered."""
    if not visit.visitor_id:
        return None
    row = db.execute(statement.limit(1)).mappings().one_or_none()
    return None if row is None else Visit(**row)


def _is_visit(site_id: int, visit_id: str) -> tuple[Any, Any]:
    return col(Visit.site_id) == site_id, col(Visit.id) == visit_id
