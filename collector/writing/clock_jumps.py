"""The rows of a visit that a clock which ran ahead has written, once it has jumped back."""

from __future__ import annotations

from sqlalchemy import Connection, case, literal, update

from core.moment import from_milliseconds
from core.tables import Moment, PageView, Table, VisitSpan

_span, _view = (Table.metadata.tables[str(table.__tablename__)] for table in (VisitSpan, PageView))


def set_back_rows(db: Connection, site_id: int, visit_id: str, now: int) -> None:
    """Set back to now what the spans and page views of a visit have from later; the visit itself is the
    caller's. A span that begins and ends later is empty then."""
    moment = literal(from_milliseconds(now), Moment())
    of_visit = (_span.c.site_id == site_id, _span.c.visit_id == visit_id)
    begins = case((_span.c.from_at > moment, moment), else_=_span.c.from_at)
    ends = update(_span).where(*of_visit, _span.c.until_at > moment)
    db.execute(ends.values(from_at=begins, until_at=moment))
    of_visit = (_view.c.site_id == site_id, _view.c.visit_id == visit_id)
    db.execute(update(_view).where(*of_visit, _view.c.viewed_at > moment).values(viewed_at=moment))
