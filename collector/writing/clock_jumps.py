"""The rows of a visit that a clock which ran ahead has written, once it has jumped back."""

from __future__ import annotations

from sqlalchemy import Connection, case, update

from core.tables import Table

_span, _view, _change = (
    Table.metadata.tables[name] for name in ("visit_span_row", "page_view_row", "visit_change_row")
)


def set_back_rows(
    db: Connection, site_id: int, visit: int, now: int, was_started_at: int, started_at: int
) -> None:
    """Set back to now what the rows of a visit, by its number, have from later; its own row is the caller's.

    A span that begins and ends later is empty then. The rows' moments are told from the visit's start:
    where that is set back as well, they are told anew. All in milliseconds.
    """
    moved, latest = was_started_at - started_at, now - started_at
    of_visit = (_span.c.site_id == site_id, _span.c.visit == visit)
    begins = _span.c.from_after + moved
    begins_now = case((begins > latest, latest), else_=begins)
    ends = begins + _span.c.length
    lasts = case((ends > latest, latest - begins_now), else_=_span.c.length)
    db.execute(update(_span).where(*of_visit).values(from_after=begins_now, length=lasts))
    for table, name in ((_view, "viewed_after"), (_change, "changed_after")):
        after = table.c[name] + moved
        is_row = (table.c.site_id == site_id, table.c.visit == visit)
        told = case((after > latest, latest), else_=after)
        db.execute(update(table).where(*is_row).values({name: told}))
