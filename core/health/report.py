"""What is measured of an installation: plain data, the same for the Health page and for /metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.health.storage import Storage
from core.heartbeat import BEATS_EVERY, Silence
from core.moment import lasts_for
from core.replica import ReplicaState
from core.tables import Backup, ChoreRun, Collector, CollectorWarning, Site
from core.visits.arrivals import Drops

RECORDS_FOR = 3 * BEATS_EVERY
"""After its last heartbeat a collector still counts as running: it may be late once."""


@dataclass(frozen=True)
class CollectorSigns:
    """What the heartbeats tell whoever watches them.

    silence: no collector records, as `HeartbeatWatch` finds it. heard_late: how old the newest heartbeat was
    by the clock when it was seen to come; None: it was only found.
    """

    silence: Silence | None = None
    heard_late: timedelta | None = None


@dataclass(frozen=True)
class SiteHealth:
    """A site, and what comes from it.

    last_beacon_at: the last beacon that was accepted. missed: visits that would usually have begun since
    then, 0 while it is not silent for long. oldest_visit_at: the last activity of its oldest visit.
    """

    site: Site
    last_beacon_at: datetime | None
    missed: float
    oldest_visit_at: datetime | None


@dataclass(frozen=True)
class Keeping:
    """For how long visits and chats are kept; None: for good. chores: their last runs, by name."""

    visits: timedelta | None
    chats: timedelta | None
    chores: Mapping[str, ChoreRun]


@dataclass(frozen=True)
class HealthReport:
    """How an installation is at a moment.

    database: its name and version. schema: the revision of its tables. database_bytes: None when unknown.
    reader_since: of the oldest reader that holds back SQLite's log, or Postgres' oldest transaction. reader: which
    program that is, "" when it is unknown.
    drops: by the site's id (`NO_SITE` for beacons that named none), then by reason, of the last 24 hours.
    replica: how the one is that pages read; None without one, and where nobody looks at it.
    public_url, dashboard_url: "" when they are not set. untold: notices of the last days that were given up, by the
    site's id. unanswered: answers by mail that were given up and wait for an agent, in the same way.
    """

    at: datetime
    version: str
    storage: Storage
    signs: CollectorSigns
    database: str
    schema: str
    database_bytes: int | None
    collectors: Sequence[Collector]
    reader_since: datetime | None
    sites: Sequence[SiteHealth]
    drops: Mapping[int, Mapping[str, Drops]]
    keeping: Keeping
    last_backup: Backup | None
    warned: Sequence[CollectorWarning]
    public_url: str
    dashboard_url: str
    reader: str = ""
    replica: ReplicaState | None = None
    untold: Mapping[int, int] = field(default_factory=dict[int, int])
    unanswered: Mapping[int, int] = field(default_factory=dict[int, int])

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return bool(self.storage.file)

    @property
    def newest_heartbeat(self) -> datetime | None:
        """By the clock of the collector that gave it."""
        return _newest_heartbeat(self.collectors)

    @property
    def running(self) -> Sequence[Collector]:
        """The collectors that record, or were the last to do so, whatever their clock says."""
        return running(self.collectors)

    @property
    def oldest_visit_at(self) -> datetime | None:
        """The last activity of the oldest visit of any site."""
        oldest = [each.oldest_visit_at for each in self.sites if each.oldest_visit_at]
        return min(oldest, default=None)


def running(collectors: Sequence[Collector]) -> Sequence[Collector]:
    """Those of them that record, or were the last to do so, whatever their clock says."""
    newest = _newest_heartbeat(collectors)
    if newest is None:
        return ()
    return [each for each in collectors if lasts_for(RECORDS_FOR, each.seen_at, newest)]


def _newest_heartbeat(collectors: Sequence[Collector]) -> datetime | None:
    return max((each.seen_at for each in collectors), default=None)
