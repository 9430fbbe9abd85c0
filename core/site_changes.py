"""That something which a page shows of a site has changed: a number of each site that only grows.

A change gets its number under the lock of its site, and keeps the lock until it is committed. So a snapshot of the
database with this number has every change of that site up to it. Between sites there is no such order: the
change with the higher number may be committed first. So a reader's place is the number of each site, and
that of several sites is their sum: it grows with whichever of them changes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, literal_column, select

from core.compiled import compile_for, find_value, run_each
from core.database import insert_into
from core.feed import FeedPlace, FeedSource
from core.postgres import notify
from core.tables import Table

CHANNEL = "visitor_monitor_sites"
"""The channel on which Postgres notifies of commits that change a site."""

ALL_SITES = 0
"""The `site_id` of the row that keeps the numbers of deleted sites, so that the sum of all never falls."""

_change, _site = (Table.metadata.tables[name] for name in ("site_change", "site"))
_find_all = select(_change.c.site_id, _site.c.key, _change.c.revision).outerjoin(
    _site, _site.c.id == _change.c.site_id
)


class SiteRevisions(NamedTuple):
    """The newest revision of each site that has ever changed, by its id; and the ids of the keys."""

    place: FeedPlace
    ids: Mapping[str, int]

    def of_site(self, key: str) -> int:
        """The revision of the site with this key; 0 without a change."""
        return self.place.get(self.ids.get(key, -1), 0)

    def of_sites(self, site_ids: Collection[int] | None) -> int:
        """The revision of these sites together, of all for None."""
        if site_ids is None:
            return sum(self.place.values())
        return sum(self.place.get(site_id, 0) for site_id in site_ids)


class ChangedSites(NamedTuple):
    """The sites that have changed, by their keys with their newest revisions; and those of all sites."""

    sites: Mapping[str, int]
    revisions: SiteRevisions

    @property
    def place(self) -> FeedPlace:
        """Where whoever knows of these changes goes on."""
        return self.revisions.place


def note_changes(db: Connection, site_ids: Iterable[int], now: int = 0) -> None:
    """Give these sites the next revision, in the transaction of what has changed, under their locks.

    It follows the clock (`now`, milliseconds) where it can, so that it is also above what a copy of
    the database had that has been put back.
    """
    changed = sorted(set(site_ids))
    if not changed:
        return
    find_newest, give = _statements(db)
    newest = find_value(db, find_newest) or 0
    revision = max(now, newest + 1)
    run_each(db, give, [(id, revision) for id in changed])
    notify(db, CHANNEL)


def forget_changes(db: Connection, site_id: int) -> None:
    """Delete the revision of a site, and add it to that of the deleted ones."""
    found = db.execute(select(_change.c.revision).where(_change.c.site_id == site_id)).scalar()
    if found is None:
        return
    _add_to_deleted(db, found)
    db.execute(delete(_change).where(_change.c.site_id == site_id))


def raise_sum(db: Connection, above: int) -> None:
    """Have the revision of all sites together be above this: after another database took its place."""
    missing = above + 1 - site_revisions(db).of_sites(None)
    if missing > 0:
        _add_to_deleted(db, missing)


def site_revision(db: Connection, site_id: int | None) -> int:
    """The revision of the site's newest change; 0 without one."""
    found = select(_change.c.revision).where(_change.c.site_id == site_id)
    return db.execute(found).scalar_one_or_none() or 0


def site_revisions(db: Connection) -> SiteRevisions:
    """The revisions of all sites."""
    rows = db.execute(_find_all).all()
    return SiteRevisions(
        {row.site_id: row.revision for row in rows},
        {row.key: row.site_id for row in rows if row.key is not None},
    )


def changed_sites(db: Connection, known: FeedPlace) -> ChangedSites:
    """The sites of which this place does not have the newest change."""
    revisions = site_revisions(db)
    changed = {
        key: revisions.place[id]
        for key, id in revisions.ids.items()
        if revisions.place[id] != known.get(id, 0)
    }
    return ChangedSites(changed, revisions)


SITE_FEED = FeedSource("site", CHANNEL, lambda db: site_revisions(db).place, changed_sites)
"""How a feed follows the sites."""


def _add_to_deleted(db: Connection, revision: int) -> None:
    rows = insert_into(db, _change)
    total = {"revision": _change.c.revision + rows.excluded.revision}
    add = rows.on_conflict_do_update(index_elements=["site_id"], set_=total)
    db.execute(add, {"site_id": ALL_SITES, "revision": revision})


def _statements(db: Connection) -> tuple[str, str]:
    """To find the newest revision of all sites, and to give one its next; built once for each database."""
    name = db.dialect.name
    if name not in _built:
        _built[name] = _build(db)
    return _built[name]


def _build(db: Connection) -> tuple[str, str]:
    is_site = _change.c.site_id != literal_column(str(ALL_SITES))
    rows = insert_into(db, _change)
    give = rows.on_conflict_do_update(
        index_elements=["site_id"], set_={"revision": rows.excluded.revision}
    )
    find_newest = select(func.max(_change.c.revision)).where(is_site)
    return compile_for(db, find_newest), compile_for(db, give)


_built: dict[str, tuple[str, str]] = {}
