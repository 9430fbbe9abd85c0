"""That something which a page shows of a site has changed: a number that only grows.

One number is shared by all sites, and each change takes the next: so a snapshot of the database with
this number contains every change that has the same number or a lower one, of whichever site.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, func, select

from core.database import insert_into
from core.feed import FeedSource
from core.tables import Table

CHANNEL = "visitor_monitor_sites"
"""The channel on which Postgres notifies of each commit that changes a site."""

ALL_SITES = 0
"""The `site_id` of the row with the newest number of all."""

_change, _site = (Table.metadata.tables[name] for name in ("site_change", "site"))
_find_newest = select(_change.c.revision).where(_change.c.site_id == ALL_SITES)
_find_changed = (
    select(_site.c.key, _change.c.revision)
    .join(_site, _site.c.id == _change.c.site_id)
    .where(_change.c.revision > bindparam("after"))
    .order_by(_change.c.revision)
)
_notify_feeds = select(func.pg_notify(CHANNEL, ""))


class ChangedSites(NamedTuple):
    """The newest revision of each site, by its key; `revision`: the newest of all."""

    sites: Mapping[str, int]
    revision: int


def note_changes(db: Connection, site_ids: Iterable[int], now: int = 0) -> None:
    """Give these sites the next revision, in the transaction of what has changed.

    It follows the clock (`now`, milliseconds) where it can, so that it is also above what a copy of
    the database had that has been put back. No other transaction gets one until this one has ended.
    """
    changed = sorted(set(site_ids))
    if not changed:
        return
    raise_newest, give = _statements(db)
    db.execute(raise_newest, {"site_id": ALL_SITES, "revision": now})
    db.execute(give, [{"site_id": site_id} for site_id in changed])
    if db.dialect.name == "postgresql":
        db.execute(_notify_feeds)


def newest_revision(db: Connection) -> int:
    """The revision of the newest change of any site; 0 without one."""
    return db.execute(_find_newest).scalar_one_or_none() or 0


def changed_sites(db: Connection, revision: int) -> ChangedSites:
    """The sites that have changed since this revision."""
    newest = newest_revision(db)
    if newest <= revision:
        return ChangedSites({}, revision)
    found = db.execute(_find_changed, {"after": revision})
    return ChangedSites({row.key: row.revision for row in found}, newest)


SITE_FEED = FeedSource("site", CHANNEL, newest_revision, changed_sites)
"""How a feed follows the sites."""


def _statements(db: Connection) -> tuple[Any, Any]:
    """What raises the newest revision, and what gives it to sites; built once for each database."""
    name = db.dialect.name
    if name not in _built:
        _built[name] = _build(insert_into(db, _change))
    return _built[name]


def _build(rows: Any) -> tuple[Any, Any]:
    following = _change.c.revision + 1
    highest = case((rows.excluded.revision > following, rows.excluded.revision), else_=following)
    newest = _find_newest.scalar_subquery()
    return (
        rows.on_conflict_do_update(index_elements=["site_id"], set_={"revision": highest}),
        rows.values(revision=newest).on_conflict_do_update(
            index_elements=["site_id"], set_={"revision": newest}
        ),
    )


_built: dict[str, tuple[Any, Any]] = {}
