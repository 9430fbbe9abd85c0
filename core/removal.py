"""Deleting a site: it is gone for everybody at once, and its rows go some at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Table,
    delete,
    func,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlmodel import col

from core.chat.queries import has_listed_conversation
from core.chat.retention import forget_conversations
from core.enrich.text import clean
from core.locks import TAKE_WITHIN, lock_site, take_sites
from core.moment import to_milliseconds
from core.notices.store import forget_notices_of
from core.rollups.visit_chunks import drop_some_chunks, remove_from_chunks
from core.site_changes import ALL_SITES, forget_changes, note_changes
from core.sites import LONGEST_NAME, SiteError, existing_site, removed_sites
from core.tables import Site, Visit
from core.tables import Table as Base
from core.visits.pages_used import drop_uses, pages_of
from core.visits.visit_edits import note_all_edited

_tables = Base.metadata.tables
_OF_VISITS = (
    "page_view_row",
    "visit_span_row",
    "visit_change_row",
    "visit_tab",
    "visit_memory",
)
"""Their rows name a visit by its number."""

_OF_SITE = [table for table in _tables.values() if "site_id" in table.c]
"""Every table whose rows belong to a site: a new one is deleted from without a word here."""


class Bite(NamedTuple):
    """What one transaction has deleted of a site: all there was left, or the visits up to an id."""

    is_last: bool
    last_visit: str


class Removal(NamedTuple):
    """A site that is being deleted, and how many of its visits are left."""

    site: Site
    visits_left: int


def remove_site(db: Connection, key: str, typed_name: str, now: datetime) -> Site:
    """The site, which no page shows and no collector takes from now on. Raises SiteError.

    `typed_name`: its name, written by whoever deletes it. After this transaction nothing is stored
    for the site any more; housekeeping ends its chats, and `delete_some` deletes what there is.
    """
    # What a collector has begun to write is written before.
    lock_site(db, existing_site(db, key).id or 0)
    site = existing_site(db, key)
    if clean(typed_name, LONGEST_NAME) != site.name:
        raise SiteError(
            f"This is not the site's name: write '{site.name}' to delete it with all its data."
        )
    assert site.id is not None
    db.execute(update(Site).where(col(Site.id) == site.id).values(removed_at=now))
    note_changes(db, [site.id], to_milliseconds(now))
    return site


def removals(db: Connection) -> list[Removal]:
    """The sites that are being deleted."""
    return [Removal(site, _count_visits(db, site)) for site in removed_sites(db)]


def delete_some(db: Connection, site_id: int, visits: int, rows: int, after: str = "") -> Bite:
    """Delete rows of a removed site; the last bite takes the site itself.

    At most so many visits with an id above `after`, with all that belongs to them; when there is none,
    so many rows of one table. Nothing is deleted while agents' lists have a chat of the site: its end
    is told first (`core.chat.closing`), nor while somebody else writes rows of it.
    """
    mine = {site_id, ALL_SITES}
    if take_sites(db, mine, TAKE_WITHIN) != mine or has_listed_conversation(db, site_id):
        return Bite(False, after)
    # First: to take visits out of their chunks one after the other would write each chunk again and again.
    if drop_some_chunks(db, site_id):
        return Bite(False, after)
    # From `after` on: Postgres would read its index anew over all that earlier bites have deleted.
    of_site = (col(Visit.site_id) == site_id, col(Visit.id) > after)
    # In the order of the keys: so neighbours go together, and few pages of the file are written.
    ids = db.execute(select(col(Visit.id)).where(*of_site).order_by(col(Visit.id)).limit(visits))
    if found := ids.scalars().all():
        delete_visits(db, site_id, found)
        return Bite(False, found[-1])
    forget_changes(db, site_id)
    # Every table, that of the visits too: what lies before `after` goes as well.
    if any(_delete_rows(db, table, site_id, rows) for table in _OF_SITE):
        return Bite(False, after)
    db.execute(delete(Site).where(col(Site.id) == site_id))
    return Bite(True, after)


def delete_visits(db: Connection, site_id: int, visit_ids: Sequence[str]) -> None:
    """Delete the visits with their page views, spans, conversations and notices."""
    note_all_edited(db, [site_id])
    forget_conversations(db, site_id, visit_ids)
    forget_notices_of(db, site_id, visit_ids)
    are_these = (col(Visit.site_id) == site_id, col(Visit.id).in_(visit_ids))
    activity = type_coerce(col(Visit.last_activity_at), BigInteger)
    rows = db.execute(select(col(Visit.number), activity).where(*are_these)).tuples()
    last_activity = dict(rows.all())
    numbers = [*last_activity]
    remove_from_chunks(db, site_id, last_activity)
    uses = pages_of(db, site_id, numbers)
    for name in _OF_VISITS:
        table = _tables[name]
        db.execute(delete(table).where(table.c.site_id == site_id, table.c.visit.in_(numbers)))
    drop_uses(db, site_id, uses)
    db.execute(delete(Visit).where(*are_these))


def _count_visits(db: Connection, site: Site) -> int:
    counted = select(func.count()).select_from(Visit).where(col(Visit.site_id) == site.id)
    return db.execute(counted).scalar_one()


def _delete_rows(db: Connection, table: Table, site_id: int, limit: int) -> int:
    """How many rows went."""
    key: list[Any] = list(table.primary_key)
    some = select(*key).where(table.c.site_id == site_id).limit(limit)
    deleted = db.execute(delete(table).where(tuple_(*key).in_(some))).rowcount
    if deleted and table.name in {"visit", *_OF_VISITS}:
        note_all_edited(db, [site_id])
    return deleted
