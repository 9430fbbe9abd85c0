"""The chunks of a site: its visits that are over, once more as columns, about a thousand in each.

They are filled in the order of last activities, so a visit's last activity tells in which chunk it is: the newest one
that begins no later. They have exactly the visits whose rows are stored, up to `CountState.chunked_until`: a visit that is
deleted leaves its chunk in the same transaction. The caller owns that, and the site's lock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from core.rollups.chunk_bytes import pack_views, pack_visits, unpack
from core.rollups.visit_columns import VisitColumns
from core.tables import Table

MOST_VISITS = 1_000
"""With as many a chunk takes no more: to put one more in, all of it is written anew."""

MOST_VIEWS = 20_000
"""The same of page views, for visits of very many."""

DROPPED_AT_ONCE = 50
"""Chunks that one transaction deletes: some MB, which SQLite overwrites."""

_chunk = Table.metadata.tables["visit_chunk"]


def add_to_chunks(db: Connection, site_id: int, columns: VisitColumns, since: int) -> None:
    """Add visits that are over. since: their last activities, in milliseconds, are not earlier, and all later than
    those of the visits before them."""
    if not columns.number:
        return
    has_room = (_chunk.c.visits < MOST_VISITS) & (_chunk.c.views < MOST_VIEWS)
    newest = select(_chunk.c.since, has_room).where(_chunk.c.site_id == site_id)
    found = db.execute(newest.order_by(_chunk.c.since.desc()).limit(1)).first()
    if found and found[1]:
        chunk = _read(db, site_id, found[0])
        chunk.extend(columns)
        _write(db, site_id, found[0], chunk)
    else:
        db.execute(insert(_chunk).values(site_id=site_id, since=since, **_values(columns)))


def remove_from_chunks(db: Connection, site_id: int, last_activity: dict[int, int]) -> None:
    """Take visits out that are about to be deleted. last_activity: of each, by its number, in milliseconds. Those that
    are in no chunk yet change nothing."""
    if not last_activity:
        return
    begins = _begins(db, site_id, min(last_activity.values()), max(last_activity.values()))
    of_chunk: defaultdict[int, set[int]] = defaultdict(set)
    for number, moment in last_activity.items():
        if place := bisect_right(begins, moment):
            of_chunk[begins[place - 1]].add(number)
    for since, numbers in of_chunk.items():
        chunk = _read(db, site_id, since)
        stays = chunk.without(numbers)
        if not stays.number:
            db.execute(delete(_chunk).where(*_is_one(site_id, since)))
        elif len(stays.number) < len(chunk.number):
            _write(db, site_id, since, stays)


def drop_some_chunks(db: Connection, site_id: int) -> bool:
    """Delete some of the site's chunks; whether others may be left."""
    some = select(_chunk.c.since).where(_chunk.c.site_id == site_id).limit(DROPPED_AT_ONCE)
    these = (_chunk.c.site_id == site_id, _chunk.c.since.in_(some))
    return db.execute(delete(_chunk).where(*these)).rowcount == DROPPED_AT_ONCE


def _begins(db: Connection, site_id: int, first: int, last: int) -> Sequence[int]:
    """When the chunks begin in which visits of these last activities may be, in ascending order."""
    of_site = _chunk.c.site_id == site_id
    lowest = select(func.max(_chunk.c.since)).where(of_site, _chunk.c.since <= first)
    since = func.coalesce(lowest.scalar_subquery(), first)
    begins = select(_chunk.c.since).where(of_site, _chunk.c.since.between(since, last))
    return db.execute(begins.order_by(_chunk.c.since)).scalars().all()


def _is_one(site_id: int, since: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _chunk.c.site_id == site_id, _chunk.c.since == since


def _read(db: Connection, site_id: int, since: int) -> VisitColumns:
    columns = select(_chunk.c.of_visits, _chunk.c.of_views).where(*_is_one(site_id, since))
    of_visits, of_views = db.execute(columns).one()
    return unpack(of_visits, of_views)


def _write(db: Connection, site_id: int, since: int, columns: VisitColumns) -> None:
    db.execute(update(_chunk).where(*_is_one(site_id, since)).values(**_values(columns)))


def _values(columns: VisitColumns) -> dict[str, int | bytes]:
    return {
        "visits": len(columns.number),
        "views": len(columns.page),
        "first_began": min(columns.began),
        "last_began": max(columns.began),
        "of_visits": pack_visits(columns),
        "of_views": pack_views(columns),
    }
