"""The numbers of a site's visits: each is given once, in the order in which they open."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from core.database import insert_into
from core.tables import Table

_sequence = Table.metadata.tables["visit_sequence"]


def take_numbers(db: Connection, site_id: int, count: int) -> int:
    """The first of so many numbers, one after the other, that no visit of the site has had, nor will have.

    The caller holds the lock of those who write visits.
    """
    is_its = _sequence.c.site_id == site_id
    taken = update(_sequence).where(is_its).values(last=_sequence.c.last + count)
    if not db.execute(taken).rowcount:
        db.execute(insert_into(db, _sequence).values(site_id=site_id, last=count))
    last: int = db.execute(select(_sequence.c.last).where(is_its)).scalar_one()
    return last - count + 1
