"""One question to the database for all that is measured: a handful of statements along indexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, text
from sqlmodel import col

from core.backups import latest_backup
from core.chore_runs import chore_runs
from core.database import database_version
from core.enrich.text import clean
from core.health.report import CollectorSigns, HealthReport, Keeping, SiteHealth, running
from core.health.storage import Storage, measure_storage
from core.heartbeat import list_collectors
from core.mail.deliveries import count_not_sent
from core.moment import EPOCH
from core.notices.deliveries import count_given_up
from core.replica import ReplicaState
from core.schema import schema_revision
from core.settings import Settings
from core.sites import DEMO_KEY, list_sites
from core.tables import Collector, Site, SiteOrigin, Visit
from core.version import VERSION
from core.visits.arrivals import NO_SITE, collector_warnings, drops_of_sites
from core.visits.calendar import Period
from core.visits.presence import COUNT_SLOT
from core.visits.visit_counts import visits_started

QUIET_FOR = timedelta(hours=1)
"""A site that has been silent for less is not looked at: pauses of minutes are usual everywhere (own)."""

_LONGEST_NAME = 40
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


def read_health(
    db: Connection,
    chosen: Settings,
    signs: CollectorSigns,
    now: datetime,
    replica: ReplicaState | None = None,
) -> HealthReport:
    """How the installation is at `now`; `signs` and `replica`: from whoever watches the heartbeats and the replica."""
    storage = measure_storage(chosen.database_url)
    sites = list_sites(db)
    collectors = list_collectors(db)
    reader = _oldest_reader(db, () if signs.silence else running(collectors))
    return HealthReport(
        at=now,
        version=VERSION,
        storage=storage,
        signs=signs,
        database=database_version(db),
        schema=schema_revision(db) or "",
        database_bytes=_database_bytes(db, storage),
        collectors=collectors,
        reader_since=reader.since,
        reader=reader.name,
        replica=replica,
        sites=_sites(db, sites, now),
        drops=drops_of_sites(db, [NO_SITE, *(site.id or 0 for site in sites)], now),
        keeping=Keeping(
            _kept_for(chosen.retention_days), _kept_for(chosen.chat_retention_days), chore_runs(db)
        ),
        last_backup=latest_backup(db),
        warned=collector_warnings(db),
        public_url=chosen.public_url,
        dashboard_url=chosen.dashboard_url,
        untold=count_given_up(db),
        unanswered=count_not_sent(db),
    )


def _kept_for(days: int) -> timedelta | None:
    return timedelta(days=days) if days else None


def _database_bytes(db: Connection, storage: Storage) -> int | None:
    if db.dialect.name == "sqlite":
        return storage.file_bytes
    return db.execute(text("SELECT pg_database_size(current_database())")).scalar_one()


class _Reader(NamedTuple):
    since: datetime | None
    name: str


def _oldest_reader(db: Connection, looking: Sequence[Collector]) -> _Reader:
    """On SQLite what the running collectors have found, on Postgres of the sessions that this user may see.

    What Postgres itself does (autovacuum takes hours with a large table) holds nothing back.
    """
    if db.dialect.name == "sqlite":
        held = [(each.reader_since, each.reader) for each in looking if each.reader_since]
        return _Reader(*min(held, default=(None, "")))
    statement = text(
        "SELECT xact_start, application_name, pid FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend' AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1"
    )
    row = db.execute(statement).one_or_none()
    if row is None:
        return _Reader(None, "")
    program = clean(row.application_name, _LONGEST_NAME) or "A client"
    return _Reader(row.xact_start, f"{program} (process {row.pid} of the server)")


def _sites(db: Connection, sites: Sequence[Site], now: datetime) -> Sequence[SiteHealth]:
    beacons, bounds = _last_reports(db), _visit_bounds(db)
    found: list[SiteHealth] = []
    for site in sites:
        oldest, newest = bounds.get(site.id or 0, (None, None))
        last_at = max(filter(None, (beacons.get(site.id or 0), newest)), default=None)
        found.append(SiteHealth(site, last_at, _missed(db, site, last_at, now), oldest))
    return found


def _last_reports(db: Connection) -> Mapping[int, datetime]:
    """By the site's id, of pages that name their host; a site has at most 200 rows here."""
    newest = func.max(col(SiteOrigin.last_seen_at)).label("newest")
    statement = select(col(SiteOrigin.site_id), newest).group_by(col(SiteOrigin.site_id))
    return {row.site_id: row.newest for row in db.execute(statement)}


def _visit_bounds(db: Connection) -> Mapping[int, tuple[datetime | None, datetime | None]]:
    """The oldest and the newest activity, by the site's id: two looks into the index for each site, however
    many visits it has."""
    bounds = (_of_visits(func.min), _of_visits(func.max))
    rows = db.execute(select(col(Site.id), *bounds))
    return {site_id: (oldest, newest) for site_id, oldest, newest in rows if site_id}


def _of_visits(bound: Any) -> Any:
    statement = select(bound(col(Visit.last_activity_at)))
    return statement.where(col(Visit.site_id) == col(Site.id)).correlate(Site).scalar_subquery()


def _missed(db: Connection, site: Site, last_at: datetime | None, now: datetime) -> float:
    """Visits that would usually have begun since then: as many as in the same hours of the day before and
    of the week before, whichever were fewer; after more than a day, as in the mean of the week before."""
    quiet = now - last_at if last_at else timedelta()
    is_watched = site.tracking_enabled and site.key != DEMO_KEY
    if last_at is None or not is_watched or quiet < QUIET_FOR or site.id is None:
        return 0.0
    from_at, until_at = _slot(last_at), _slot(now)
    if quiet <= _DAY:
        same = [Period(from_at - ago, until_at - ago) for ago in (_DAY, _WEEK)]
        return min(visits_started(db, site.id, same))
    [before] = visits_started(db, site.id, [Period(from_at - _WEEK, from_at)])
    return before / 7 * (quiet / _DAY)


def _slot(moment: datetime) -> datetime:
    """The beginning of the slot in which visits of this moment are counted."""
    return moment - (moment - EPOCH) % COUNT_SLOT
