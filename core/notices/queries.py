"""Notices that are new since a place, for whoever follows them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select
from sqlmodel import col

from core.feed import FeedPlace
from core.tables import Notice, Site

MOST_AT_ONCE = 50
"""Notices of a site that are told at once, the newest: nobody reads more."""


def newest_notices(db: Connection) -> FeedPlace:
    """The newest revision of each site's notices, by its id; without sites that have none."""
    newest = select(func.max(col(Notice.revision))).where(col(Notice.site_id) == col(Site.id))
    rows = db.execute(select(col(Site.id), newest.correlate(Site).scalar_subquery()))
    found: list[tuple[int, int | None]] = [(row[0] or 0, row[1]) for row in rows]
    return {site_id: revision for site_id, revision in found if revision is not None}


def notices_since(db: Connection, known: FeedPlace | int) -> list[Notice]:
    """The notices that are newer than this place, or than this revision on every site."""
    found: list[Notice] = []
    for site_id, newest in newest_notices(db).items():
        after = known if isinstance(known, int) else known.get(site_id, 0)
        if newest > after:
            found += reversed(_newer(db, site_id, after))
    return found


def _newer(db: Connection, site_id: int, after: int) -> Sequence[Notice]:
    newer = select(Notice).where(col(Notice.site_id) == site_id, col(Notice.revision) > after)
    newest_first = newer.order_by(col(Notice.revision).desc()).limit(MOST_AT_ONCE)
    return [Notice.of(row) for row in db.execute(newest_first).mappings()]
