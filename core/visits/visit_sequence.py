"""The numbers of a site's visits: each is given once, in the order in which they open."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from core.compiled import compile_for, find_value, run_each
from core.database import insert_into
from core.tables import Table

_sequence = Table.metadata.tables["visit_sequence"]


def take_numbers(db: Connection, site_id: int, count: int) -> int:
    """The first of so many numbers, one after the other, that no visit of the site has had, nor will have.

    The caller holds the lock of those who write visits.
    """
    take, find = _statements(db)
    run_each(db, take, [(site_id, count)])
    last: int = find_value(db, find, (site_id,))
    return last - count + 1


def _statements(db: Connection) -> tuple[str, str]:
    """To take numbers, and to find the last one that was taken; built once for each database."""
    name = db.dialect.name
    if name not in _built:
        _built[name] = _build(db)
    return _built[name]


def _build(db: Connection) -> tuple[str, str]:
    rows = insert_into(db, _sequence)
    take = rows.on_conflict_do_update(
        index_elements=["site_id"], set_={"last": _sequence.c.last + rows.excluded.last}
    )
    find = select(_sequence.c.last).where(_sequence.c.site_id == bindparam("of_site"))
    return compile_for(db, take), compile_for(db, find)


_built: dict[str, tuple[str, str]] = {}
