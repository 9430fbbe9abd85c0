"""Whether a site's page views arrive: how many, from which hosts, what was dropped, what is set up wrong."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, case, func, select, type_coerce
from sqlmodel import col

from core.tables import (
    CollectorWarning,
    DropCount,
    Moment,
    Page,
    PageViewRow,
    SiteOrigin,
    Visit,
)
from core.visits.liveness import is_plausible
from core.visits.presence import COUNT_SLOT

NO_SITE = 0
"""The site of drops whose beacon named no known site."""

DROPS_SHOWN_FOR = timedelta(hours=24)

ARRIVING_FOR = timedelta(minutes=5)
"""Page views of so long ago say that the site is being recorded now."""


_LOOKED_AT = 50
"""Visits among which a new page view is looked for first."""


class SeenPage(NamedTuple):
    """A page that was shown, and when."""

    path: str
    viewed_at: datetime


class Drops(NamedTuple):
    """Beacons that were not stored for one reason; the last of them came in this slot."""

    hits: int
    last_slot: datetime


def count_page_views(db: Connection, site_id: int, since: datetime, now: datetime) -> int:
    """The site's page views since the moment. It reads the visits that were active since then."""
    statement = select(func.count()).select_from(Visit).join(PageViewRow, _IS_VIEW_OF_VISIT)
    return db.execute(statement.where(*_is_seen(site_id, since, now))).scalar_one()


def last_page_view(db: Connection, site_id: int, now: datetime) -> SeenPage | None:
    """The newest page view of the site, or None.

    The visit that was active last need not have it: somebody may read one page for hours. But no
    visit that was last active before a view can have a newer one; so it reads those that were active
    since the newest view of the _LOOKED_AT visits that were active last.
    """
    since = _newest_view(db, site_id, now)
    if since is None:
        return None
    statement = (
        select(col(Page.path), _view_at)
        .select_from(Visit)
        .join(PageViewRow, _IS_VIEW_OF_VISIT)
        .join(Page, _IS_PAGE_OF_VIEW)
        .where(*_is_seen(site_id, since, now))
        .order_by(_view_at.desc(), col(PageViewRow.number).desc())
    )
    row = db.execute(statement.limit(1)).one_or_none()
    return None if row is None else SeenPage(*row)


def origins(db: Connection, site_id: int) -> list[SiteOrigin]:
    """The hosts from which beacons of the site were accepted, the newest arrival first."""
    statement = (
        select(SiteOrigin)
        .where(col(SiteOrigin.site_id) == site_id)
        .order_by(col(SiteOrigin.last_seen_at).desc(), col(SiteOrigin.host))
    )
    return [SiteOrigin(**row) for row in db.execute(statement).mappings()]


def drops(db: Connection, site_id: int, now: datetime) -> dict[str, Drops]:
    """Beacons of the last 24 hours that were not stored, by reason (`Reason`), the most first.

    Counted in slots of 15 minutes: the slot that began before those 24 hours counts whole.
    """
    return drops_of_sites(db, [site_id], now).get(site_id, {})


def drops_of_sites(
    db: Connection, site_ids: Sequence[int], now: datetime
) -> dict[int, dict[str, Drops]]:
    """The same as `drops` of several sites, by the site's id; a site without any is left out."""
    hits = func.sum(col(DropCount.hits))
    statement = (
        select(
            col(DropCount.site_id), col(DropCount.reason), hits, func.max(col(DropCount.starts_at))
        )
        .where(
            col(DropCount.site_id).in_(site_ids),
            col(DropCount.starts_at) > now - DROPS_SHOWN_FOR - COUNT_SLOT,
        )
        .group_by(col(DropCount.site_id), col(DropCount.reason))
        .order_by(hits.desc(), col(DropCount.reason))
    )
    found: dict[int, dict[str, Drops]] = {}
    for site_id, reason, count, last in db.execute(statement):
        found.setdefault(site_id, {})[reason] = Drops(int(count), last)
    return found


def collector_warnings(db: Connection) -> list[CollectorWarning]:
    """Faults in the set-up that the collector has seen, the newest first."""
    statement = select(CollectorWarning).order_by(
        col(CollectorWarning.last_seen_at).desc(), col(CollectorWarning.name)
    )
    return [CollectorWarning(**row) for row in db.execute(statement).mappings()]


def _newest_view(db: Connection, site_id: int, now: datetime) -> datetime | None:
    """The moment of the newest page view of the visits that were active last.

    No later than its visit's activity: a view has a later moment when the clock jumped back.
    """
    active_last = (
        select(col(Visit.number), col(Visit.started_at), col(Visit.last_activity_at))
        .where(col(Visit.site_id) == site_id, is_plausible(col(Visit.last_activity_at), now))
        .order_by(col(Visit.last_activity_at).desc())
        .limit(_LOOKED_AT)
        .subquery()
    )
    viewed_at = _viewed_at(active_last.c.started_at)
    active_at = active_last.c.last_activity_at
    statement = (
        select(func.max(case((viewed_at < active_at, viewed_at), else_=active_at)))
        .join_from(active_last, PageViewRow, col(PageViewRow.visit) == active_last.c.number)
        .where(col(PageViewRow.site_id) == site_id, is_plausible(viewed_at, now))
    )
    return db.execute(statement).scalar_one()


def _is_seen(site_id: int, since: datetime, now: datetime) -> Sequence[Any]:
    """Conditions of page views of the site since the moment, that no wrong clock has written."""
    return (
        col(Visit.site_id) == site_id,
        col(Visit.last_activity_at) >= since,
        is_plausible(col(Visit.last_activity_at), now),
        _view_at >= since,
        is_plausible(_view_at, now),
    )


def _viewed_at(started_at: Any) -> Any:
    after: Any = col(PageViewRow.viewed_after)
    viewed_at: Any = type_coerce(type_coerce(started_at, BigInteger) + after, Moment)
    return viewed_at


_view_at = _viewed_at(col(Visit.started_at))
_IS_VIEW_OF_VISIT = (col(PageViewRow.site_id) == col(Visit.site_id)) & (
    col(PageViewRow.visit) == col(Visit.number)
)
_IS_PAGE_OF_VIEW = (col(Page.site_id) == col(PageViewRow.site_id)) & (
    col(Page.id) == col(PageViewRow.page)
)
