"""Whether a site's beacons arrive: from which hosts, what was dropped, and what is set up wrong."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select
from sqlmodel import col

from core.tables import CollectorWarning, DropCount, SiteOrigin
from core.visits.presence import COUNT_SLOT

NO_SITE = 0
"""The site of drops whose beacon named no known site."""

DROPS_SHOWN_FOR = timedelta(hours=24)


def origins(db: Connection, site_id: int) -> list[SiteOrigin]:
    """The hosts from which beacons of the site were accepted, the newest arrival first."""
    statement = (
        select(SiteOrigin)
        .where(col(SiteOrigin.site_id) == site_id)
        .order_by(col(SiteOrigin.last_seen_at).desc(), col(SiteOrigin.host))
    )
    return [SiteOrigin(**row) for row in db.execute(statement).mappings()]


def drops(db: Connection, site_id: int, now: datetime) -> dict[str, int]:
    """Beacons of the last 24 hours that were not stored, by reason (`Reason`), the most first.

    Counted in slots of 15 minutes: the slot that began before those 24 hours counts whole.
    """
    hits = func.sum(col(DropCount.hits))
    statement = (
        select(col(DropCount.reason), hits)
        .where(
            col(DropCount.site_id) == site_id,
            col(DropCount.starts_at) > now - DROPS_SHOWN_FOR - COUNT_SLOT,
        )
        .group_by(col(DropCount.reason))
        .order_by(hits.desc(), col(DropCount.reason))
    )
    return {reason: int(count) for reason, count in db.execute(statement).all()}


def collector_warnings(db: Connection) -> list[CollectorWarning]:
    """Faults in the set-up that the collector has seen, the newest first."""
    statement = select(CollectorWarning).order_by(
        col(CollectorWarning.last_seen_at).desc(), col(CollectorWarning.name)
    )
    return [CollectorWarning(**row) for row in db.execute(statement).mappings()]
