"""How the whole installation is, for /metrics and /readyz: read now and then, never for a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from time import monotonic

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector as MetricSource
from sqlalchemy import Engine

from core.database import reading
from core.health.reading import read_health
from core.health.report import CollectorSigns, HealthReport
from core.health.storage import measure_storage
from core.health.warning import HealthWarning
from core.health.warnings import CODES, find_warnings, storage_warnings
from core.heartbeat import HeartbeatWatch, heartbeats
from core.moment import from_milliseconds
from core.settings import Settings
from core.visits.arrivals import NO_SITE

KNOWN_FOR = 60.0
"""Seconds after which what was read counts no more, when the database has not answered since."""

_UP = "1 while the facts of the whole installation are known, else 0"

Sample = tuple[Sequence[str], float | None]


class HealthMetrics(MetricSource):
    """Refreshed on the refresher's thread; collected on the event loop, from memory."""

    def __init__(self, engine: Engine, settings: Settings, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._watch = HeartbeatWatch()
        self._read: tuple[float, HealthReport, Sequence[HealthWarning]] | None = None

    def refresh(self) -> None:
        """Read how the installation is now."""
        now = from_milliseconds(self._clock())
        with reading(self._engine) as db:
            silence = self._watch.look(heartbeats(db), now, monotonic())
            signs = CollectorSigns(silence, self._watch.heard_late)
            report = read_health(db, self._settings, signs, now)
        self._read = monotonic(), report, find_warnings(report)

    @property
    def codes(self) -> list[str]:
        """Of the warnings that are given now; none while the database does not answer."""
        known = self._known()
        return [warning.code for warning in known[1]] if known else []

    def collect(self) -> Iterator[Metric]:
        """The metrics; docs/health.md lists them."""
        known = self._known()
        yield _gauge("monitor_health_up", _UP, [((), float(known is not None))])
        if known:
            yield from _of_warnings(known[1])
            yield from _of_report(known[0])

    def _known(self) -> tuple[HealthReport, Sequence[HealthWarning]] | None:
        if self._read is None or monotonic() - self._read[0] > KNOWN_FOR:
            return None
        return self._read[1:]


class StorageMetrics(MetricSource):
    """What is known while the database cannot be used: what is wrong with the place of a SQLite file."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    def collect(self) -> Iterator[Metric]:
        """The warnings, of which only those that need no database may be given."""
        yield _gauge("monitor_health_up", _UP, [((), 0.0)])
        yield from _of_warnings(storage_warnings(measure_storage(self._database_url)))


def _of_warnings(warnings: Sequence[HealthWarning]) -> Iterator[Metric]:
    given = {warning.code for warning in warnings}
    yield _gauge(
        "monitor_warnings",
        "1 while the warning is given, else 0: docs/health.md says what to do",
        [((code,), float(code in given)) for code in CODES],
        ["code"],
    )


def _of_report(report: HealthReport) -> Iterator[Metric]:
    yield _gauge(
        "monitor_build_info",
        "1; the versions are in the labels",
        [((report.version, report.database, report.schema), 1)],
        ["version", "database", "schema"],
    )
    for name, text, value in _numbers(report):
        yield _gauge(name, text, [((), value)])
    yield _gauge(
        "monitor_last_beacon_timestamp_seconds",
        "The last beacon of a site that was accepted",
        [((each.site.key,), _seconds(each.last_beacon_at)) for each in report.sites],
        ["site"],
    )
    yield _gauge(
        "monitor_dropped_reports",
        "Beacons and chat calls of the last 24 hours that were not recorded",
        _drops(report),
        ["site", "reason"],
    )
    yield _gauge(
        "monitor_retention_last_success_timestamp_seconds",
        "When a retention last had nothing left to delete",
        [((name,), _seconds(run.done_at)) for name, run in report.keeping.chores.items()],
        ["chore"],
    )


def _numbers(report: HealthReport) -> Iterator[tuple[str, str, float | None]]:
    storage, backup = report.storage, report.last_backup
    reads = (report.at - report.reader_since).total_seconds() if report.reader_since else 0.0
    running = 0 if report.signs.silence else len(report.running)
    heartbeat = _seconds(report.newest_heartbeat)
    yield "monitor_collectors", "Collectors that record", running
    yield (
        "monitor_last_heartbeat_timestamp_seconds",
        "The newest heartbeat of any collector",
        heartbeat,
    )
    yield "monitor_database_bytes", "Size of the database", report.database_bytes
    yield "monitor_wal_bytes", "Size of SQLite's log", storage.wal_bytes
    yield "monitor_disk_bytes", "Size of the disk of a SQLite database", storage.disk_bytes
    yield "monitor_disk_free_bytes", "What is left of that disk", storage.disk_free
    yield (
        "monitor_oldest_reader_seconds",
        "For how long the oldest reader holds back what is cleared away; 0: none does",
        max(reads, 0.0),
    )
    yield (
        "monitor_oldest_visit_timestamp_seconds",
        "The last activity of the oldest visit",
        _seconds(report.oldest_visit_at),
    )
    yield (
        "monitor_last_backup_timestamp_seconds",
        "The last backup that is known of",
        _seconds(backup.made_at if backup else None),
    )


def _drops(report: HealthReport) -> Iterator[Sample]:
    keys = {each.site.id: each.site.key for each in report.sites} | {NO_SITE: ""}
    for site_id, drops in report.drops.items():
        for reason, each in drops.items():
            yield (keys[site_id], reason), each.hits


def _gauge(
    name: str, text: str, samples: Iterable[Sample], labels: Sequence[str] = ()
) -> GaugeMetricFamily:
    """A gauge without the samples whose value is unknown."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in samples:
        if value is not None:
            family.add_metric(values, value)
    return family


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
