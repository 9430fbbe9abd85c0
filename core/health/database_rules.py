"""What may be wrong with the database: its place, its log, what reads it, retention, backups."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.chore_runs import ChoreName
from core.health.report import HealthReport
from core.health.storage import Storage
from core.health.words import size_in_words, time_in_words
from core.sites import DEMO_KEY

NEARLY_FULL = 0.05
"""Of the disk that is left (Prometheus' node-mixin warns of a filesystem at 5 %) ..."""

PLENTY = 5_000_000_000
"""... unless this many bytes are left, whatever share of a large disk they are (own)."""

LARGE_LOG = 256_000_000
"""Bytes of SQLite's log (own: a beacon adds some 7 kB, and a checkpoint every 5 s lets it begin anew)."""

LONG_READER = timedelta(minutes=10)
"""For which a reader may hold back the log, or Postgres' cleaning (own: a page's question ends after 5 s, a
backup of some gigabytes takes minutes)."""

NOT_RUN_FOR = timedelta(hours=1)
"""The collector looks for what is past its retention every 10 minutes."""

BEHIND_BY = timedelta(hours=6)
"""Of retention (own): some hundreds of visits go in a second, fewer while visitors come."""

BACKUP_EVERY = timedelta(days=7)
"""At least (own): whoever has none then has more to lose than the trouble of making one."""


def file_is_damaged(storage: Storage) -> str | None:
    """Nothing is read from it or written to it any more."""
    return f"The database is damaged: {storage.file}." if storage.is_damaged else None


def file_is_missing(storage: Storage) -> str | None:
    """Nothing is recorded then, and the collector makes no other one."""
    return f"The database's file is gone: {storage.file}." if storage.is_missing else None


def disk_is_nearly_full(storage: Storage) -> str | None:
    """Soon nothing can be written any more."""
    free, whole = storage.disk_free, storage.disk_bytes
    if free is None or not whole or free >= min(NEARLY_FULL * whole, PLENTY):
        return None
    return f"The disk of the database is nearly full: {_left(free, whole)} left."


def copy_has_no_room(storage: Storage) -> str | None:
    """An upgrade copies the database first."""
    free, size = storage.disk_free, (storage.file_bytes or 0) + (storage.wal_bytes or 0)
    if free is None or free >= size or disk_is_nearly_full(storage):
        return None
    left = size_in_words(free)
    return f"A copy of the database needs {size_in_words(size)}, and {left} of its disk are left."


def is_open_to_others(storage: Storage) -> str | None:
    """Visitors' words and what signs people in are in that file."""
    if not storage.is_open_to_others:
        return None
    return f"Every user of this machine may read the database ({storage.file})."


def log_is_large(report: HealthReport) -> str | None:
    """SQLite's log, which each question has to search."""
    size = report.storage.wal_bytes
    if size is None or size < LARGE_LOG:
        return None
    return f"The database's log (the file that ends with -wal) has {size_in_words(size)}."


def reader_is_long(report: HealthReport) -> str | None:
    """What it has seen cannot be cleared away."""
    since = report.reader_since
    if since is None or report.at - since < LONG_READER:
        return None
    length = time_in_words(report.at - since)
    who = report.reader or "Something"
    return f"{who} has read the database for {length} without an end, so that its files grow."


def retention_has_not_run(report: HealthReport) -> str | None:
    """Although a collector runs for long enough."""
    late = [name for name in _kept(report) if _is_late(report, name)]
    if not _runs_since(report, NOT_RUN_FOR) or not late:
        return None
    return f"Retention has not run for an hour: {_words(late)} stay longer than you chose."


def _is_late(report: HealthReport, name: ChoreName) -> bool:
    run = report.keeping.chores.get(name)
    return run is None or report.at - run.ran_at > NOT_RUN_FOR


def retention_is_behind(report: HealthReport) -> str | None:
    """It runs, and more is past its retention than it has deleted yet."""
    names = [
        name for name in _kept(report) if not _is_late(report, name) and _is_behind(report, name)
    ]
    if not names:
        return None
    return f"Retention is behind: there are {_words(names)} older than you chose."


def _is_behind(report: HealthReport, name: ChoreName) -> bool:
    oldest, kept_for = report.oldest_visit_at, report.keeping.visits
    if name is ChoreName.VISITS and oldest and kept_for:
        return report.at - oldest > kept_for + BEHIND_BY
    done_at = report.keeping.chores[name].done_at
    return _runs_since(report, BEHIND_BY) and (done_at is None or report.at - done_at > BEHIND_BY)


def _kept(report: HealthReport) -> list[ChoreName]:
    """What is not kept for good, while a collector could delete it."""
    kept = {ChoreName.VISITS: report.keeping.visits, ChoreName.CHATS: report.keeping.chats}
    return [name for name, length in kept.items() if length and report.signs.silence is None]


def _runs_since(report: HealthReport, length: timedelta) -> bool:
    return any(report.at - each.started_at > length for each in report.running)


def _words(names: list[ChoreName]) -> str:
    words = {ChoreName.VISITS: "visits", ChoreName.CHATS: "messages of chats"}
    return " and ".join(words[name] for name in names)


def backup_is_missing(report: HealthReport) -> str | None:
    """Of a SQLite file that has been in use for a while. Who keeps a Postgres server backs it up there."""
    begun = _in_use_since(report)
    if not _is_backed_up_here(report) or report.last_backup is not None or begun is None:
        return None
    if report.at - begun < BACKUP_EVERY:
        return None
    return "There is no backup of the database."


def backup_is_old(report: HealthReport) -> str | None:
    """The newest one."""
    last = report.last_backup
    if not _is_backed_up_here(report) or last is None or report.at - last.made_at < BACKUP_EVERY:
        return None
    return f"The last backup is {time_in_words(report.at - last.made_at)} old."


def _is_backed_up_here(report: HealthReport) -> bool:
    return report.is_sqlite and not report.storage.has_litestream


def _in_use_since(report: HealthReport) -> datetime | None:
    own = [each.site.created_at for each in report.sites if each.site.key != DEMO_KEY]
    return min(own, default=None)


def _left(free: int, whole: int) -> str:
    return f"{size_in_words(free)} of {size_in_words(whole)} ({free / whole:.0%})"
