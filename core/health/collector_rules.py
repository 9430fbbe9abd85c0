"""What may be wrong with the collectors."""

from __future__ import annotations

from datetime import timedelta

from core.client import UNTRUSTED_PROXY
from core.enrich.country import COUNTRY_FILE
from core.health.report import HealthReport
from core.health.words import time_in_words
from core.heartbeat import SILENT_AFTER
from core.moment import lasts_for

CLOCKS_DIFFER_BY = timedelta(seconds=10)
"""From here on it is told (own: clocks that are set by the network differ by less than a second, and a
question to the database takes at most 5)."""

COUNTRY_FILE_TOLD_FOR = timedelta(minutes=1)
"""The collector tells it every few seconds, as long as it lasts (own: a commit may be late)."""

DEEP_QUEUE = 2_000
"""Hits that wait: more than the writer takes into one transaction, so it is behind. Ten times as many are
refused with 503 (collector/writing/write_queue.py)."""

SLOW_COMMIT = timedelta(seconds=1)
"""Of one transaction (own: usual are 5 to 50 ms; a beacon that waits 5 s is refused with 503)."""


def is_silent(report: HealthReport) -> str | None:
    """No collector records any more."""
    silence = report.signs.silence
    if silence is None or not silence.has_recorded:
        return None
    if silence.since is None:
        return "The collector does not answer: no visitor is recorded."
    quiet = time_in_words(report.at - silence.since)
    return f"The collector has not answered for {quiet}: no visitor is recorded."


def has_never_started(report: HealthReport) -> str | None:
    """No collector has ever recorded into this database."""
    silence = report.signs.silence
    if silence is None or silence.has_recorded:
        return None
    return "No collector has ever run on this database: no visitor is recorded."


def versions_differ(report: HealthReport) -> str | None:
    """The processes are of different versions."""
    versions = sorted({report.version, *(each.version for each in report.running)})
    if report.signs.silence is not None or len(versions) < 2:
        return None
    return f"Different versions run on one database: {' and '.join(versions)}."


def clocks_differ(report: HealthReport) -> str | None:
    """The clock of a collector is not that of who reads: "now" is another moment for each."""
    newest, signs = report.newest_heartbeat, report.signs
    if newest is None or signs.silence is not None:
        return None
    if newest - report.at > CLOCKS_DIFFER_BY:
        return _clocks("ahead of", newest - report.at)
    if signs.heard_late is not None and signs.heard_late > SILENT_AFTER:
        return _clocks("behind", signs.heard_late)
    return None


def _clocks(word: str, by: timedelta) -> str:
    return f"The collector's clock is {time_in_words(by)} {word} the one that reads the database."


def queue_is_deep(report: HealthReport) -> str | None:
    """Beacons arrive faster than they are written."""
    queued = sum(each.queued for each in report.running)
    if report.signs.silence is not None or queued < DEEP_QUEUE:
        return None
    return f"{queued:,} reports wait to be written: more arrive than the database takes."


def commits_are_slow(report: HealthReport) -> str | None:
    """A transaction takes so long that visitors' scripts wait for it."""
    longest = timedelta(milliseconds=max((each.commit_ms for each in report.running), default=0))
    if report.signs.silence is not None or longest < SLOW_COMMIT:
        return None
    seconds = longest / timedelta(seconds=1)
    return f"The database is slow: to write took up to {seconds:.1f} s just now."


def country_file_is_unusable(report: HealthReport) -> str | None:
    """The file of countries was replaced, and the collector goes on with what it had read."""
    told = [each.last_seen_at for each in report.warned if each.name == COUNTRY_FILE]
    newest = report.newest_heartbeat
    if newest is None or not told or not lasts_for(COUNTRY_FILE_TOLD_FOR, max(told), newest):
        return None
    return "The country database is gone or cannot be read: countries are found by the one before."


def proxy_is_untrusted(report: HealthReport) -> str | None:
    """A proxy was seen, since the collectors were started, whose X-Forwarded-For is not believed."""
    started = min((each.started_at for each in report.running), default=None)
    seen = [each.last_seen_at for each in report.warned if each.name == UNTRUSTED_PROXY]
    if started is None or not seen or max(seen) < started:
        return None
    return "A proxy stands before the collector and is not trusted: every visitor has its address."
