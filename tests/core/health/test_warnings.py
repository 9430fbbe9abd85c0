"""Each warning at its threshold: just before it, and at it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.client import UNTRUSTED_PROXY
from core.enrich.country import COUNTRY_FILE
from core.health.report import CollectorSigns, HealthReport, Keeping, SiteHealth
from core.health.storage import Storage
from core.health.warning import Severity
from core.health.warnings import CODES, find_warnings
from core.heartbeat import Silence
from core.reasons import Reason
from core.replica import ReplicaFault, ReplicaState
from core.tables import Backup, ChoreRun, Collector, CollectorWarning, Site
from core.visits.arrivals import Drops
from tests.helpers.chat_rows import INSTANT, NOW

HOUR, DAY, MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=30)
GB = 1_000_000_000
DOCS = (Path(__file__).parents[3] / "docs" / "health.md").read_text("utf-8")

SHOP = Site(id=7, key="shop", name="Tea shop", created_at=NOW - MONTH)
PLACE = Storage("/data/monitor.db", GB, 1_000, 100 * GB, 50 * GB)
RUNNING = Collector(id="a", version="1.0", started_at=NOW - DAY, seen_at=NOW)
RAN = ChoreRun(name="visits", ran_at=NOW, done_at=NOW)
WELL = HealthReport(
    at=NOW,
    version="1.0",
    storage=PLACE,
    signs=CollectorSigns(heard_late=timedelta(seconds=1)),
    database="SQLite 3.40.1",
    schema="0009",
    database_bytes=GB,
    collectors=[RUNNING],
    reader_since=None,
    sites=[SiteHealth(SHOP, NOW, 0, NOW - DAY)],
    drops={},
    keeping=Keeping(90 * DAY, MONTH, {"visits": RAN, "chats": RAN}),
    last_backup=Backup(made_at=NOW, kind="backup", file="/backup/monitor.db"),
    warned=(),
    public_url="https://monitor.example",
    dashboard_url="",
)


def codes(report: HealthReport) -> list[str]:
    return [warning.code for warning in find_warnings(report)]


def place(**changes: Any) -> HealthReport:
    return replace(WELL, storage=replace(PLACE, **changes))


def collector(**changes: Any) -> HealthReport:
    return replace(WELL, collectors=[RUNNING.model_copy(update=changes)])


def silence(since: Any = None, *, has_recorded: bool = True, **changes: Any) -> HealthReport:
    return replace(WELL, signs=CollectorSigns(Silence(since, has_recorded)), **changes)


def heard(late: timedelta) -> HealthReport:
    return replace(collector(seen_at=NOW - late), signs=CollectorSigns(heard_late=late))


def oldest(age: timedelta, **changes: Any) -> HealthReport:
    return replace(WELL, sites=[SiteHealth(SHOP, NOW, 0, NOW - age)], **changes)


def ran(ago: timedelta, done: timedelta | None = None, name: str = "visits") -> HealthReport:
    done_at = NOW - (ago if done is None else done)
    run = ChoreRun(name=name, ran_at=NOW - ago, done_at=done_at)
    return replace(WELL, keeping=Keeping(90 * DAY, MONTH, {"visits": RAN, "chats": RAN, name: run}))


def dropped(reason: Reason, hits: int, site: int = 7) -> HealthReport:
    return replace(WELL, drops={site: {reason.value: Drops(hits, NOW)}})


def proxy_seen(at: Any) -> HealthReport:
    return warned(UNTRUSTED_PROXY, at)


def replica(fault: ReplicaFault | None = None, behind: timedelta | None = None) -> HealthReport:
    return replace(WELL, replica=ReplicaState(fault, behind))


def warned(name: str, at: Any) -> HealthReport:
    seen = CollectorWarning(name=name, first_seen_at=at, last_seen_at=at)
    return replace(WELL, warned=[seen])


def backup(age: timedelta | None, **changes: Any) -> HealthReport:
    made = None if age is None else Backup(made_at=NOW - age, kind="backup", file="/b")
    return replace(WELL, last_backup=made, **changes)


def quiet(missed: float) -> HealthReport:
    return replace(WELL, sites=[SiteHealth(SHOP, NOW - 5 * HOUR, missed, NOW - DAY)])


def test_nothing_is_wrong_where_all_is_well():
    assert find_warnings(WELL) == []


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (silence(NOW - HOUR), "collector_silent"),
        (silence(None), "collector_silent"),
        (silence(has_recorded=False, collectors=[]), "collector_never_started"),
        (collector(version="1.1"), "versions_differ"),
        (collector(seen_at=NOW + timedelta(seconds=10) + INSTANT), "clocks_differ"),
        (heard(timedelta(seconds=60) + INSTANT), "clocks_differ"),
        (collector(queued=2_000), "queue_deep"),
        (collector(commit_ms=1_000), "commits_slow"),
        (proxy_seen(NOW - DAY), "proxy_untrusted"),
        (warned(COUNTRY_FILE, NOW - timedelta(minutes=1) + INSTANT), "country_file_unusable"),
        (place(disk_bytes=100 * GB, disk_free=5 * GB - 1), "disk_nearly_full"),
        (place(disk_bytes=9_000 * GB, disk_free=5 * GB - 1), "disk_nearly_full"),
        (place(disk_bytes=10 * GB, disk_free=GB, wal_bytes=1), "no_room_for_copy"),
        (place(is_missing=True), "database_missing"),
        (place(is_damaged=True), "database_damaged"),
        (place(is_open_to_others=True), "database_open_to_others"),
        (place(wal_bytes=256_000_000), "log_large"),
        (replace(WELL, reader_since=NOW - timedelta(minutes=10)), "reader_long"),
        (replica(behind=timedelta(seconds=10) + INSTANT), "replica_behind"),
        *((replica(fault), fault.value) for fault in ReplicaFault),
        (ran(HOUR + INSTANT), "retention_not_run"),
        (ran(HOUR + INSTANT, name="chats"), "retention_not_run"),
        (replace(WELL, keeping=Keeping(DAY * 90, None, {})), "retention_not_run"),
        (oldest(90 * DAY + 6 * HOUR + INSTANT), "retention_behind"),
        (ran(HOUR, 6 * HOUR + INSTANT, name="chats"), "retention_behind"),
        (backup(None), "backup_missing"),
        (backup(7 * DAY), "backup_old"),
        (quiet(10), "site_silent"),
        (dropped(Reason.ORIGIN, 100), "dropped_origin_not_allowed"),
        (dropped(Reason.UNKNOWN_SITE, 100, site=0), "dropped_unknown_site"),
        (dropped(Reason.TOO_MANY_VISITS, 100), "dropped_too_many_visits"),
        (dropped(Reason.FAULT, 1), "dropped_fault"),
        (replace(WELL, public_url="http://monitor.example"), "not_https"),
        (replace(WELL, dashboard_url="http://10.0.0.1:8501"), "not_https"),
        (replace(WELL, untold={7: 2}), "notices_given_up"),
        (replace(WELL, unanswered={7: 2}), "answers_given_up"),
    ],
)
def test_warning_is_given_at_its_threshold(report: HealthReport, code: str):
    assert codes(report) == [code]


@pytest.mark.parametrize(
    "report",
    [
        collector(seen_at=NOW + timedelta(seconds=10)),
        heard(timedelta(seconds=60)),
        collector(seen_at=NOW - timedelta(seconds=63)),  # it has ended, which is not yet certain
        replace(collector(seen_at=NOW - HOUR), signs=CollectorSigns()),  # not yet known
        collector(queued=1_999),
        collector(commit_ms=999),
        warned(COUNTRY_FILE, NOW - timedelta(minutes=1)),
        proxy_seen(NOW - DAY - INSTANT),  # the collector was started since
        place(disk_bytes=100 * GB, disk_free=5 * GB),
        place(disk_bytes=9_000 * GB, disk_free=5 * GB),
        place(disk_bytes=10 * GB, disk_free=GB, wal_bytes=0),
        place(wal_bytes=255_999_999),
        replace(WELL, reader_since=NOW - timedelta(minutes=10) + INSTANT),
        replica(behind=timedelta(seconds=10)),
        replica(),
        ran(HOUR),
        oldest(90 * DAY + 6 * HOUR),
        oldest(900 * DAY, keeping=Keeping(None, None, {})),
        replace(collector(started_at=NOW - HOUR), keeping=Keeping(DAY * 90, MONTH, {})),
        backup(None, sites=[]),
        backup(None, storage=Storage()),  # Postgres
        backup(None, storage=replace(PLACE, has_litestream=True)),
        backup(7 * DAY - INSTANT),
        quiet(9.9),
        dropped(Reason.ORIGIN, 99),
        dropped(Reason.BOT, 100_000),
        dropped(Reason.ORIGIN, 100, site=9),  # of a site that is deleted
        replace(WELL, public_url="http://127.0.0.1:8600"),
        replace(WELL, storage=Storage(), database_bytes=None),
    ],
)
def test_warning_is_not_given_before_its_threshold(report: HealthReport):
    assert codes(report) == []


@pytest.mark.parametrize("has_recorded", [True, False])
def test_silent_collector_is_not_blamed_for_what_follows_from_it(has_recorded: bool):
    report = replace(
        quiet(99),
        signs=CollectorSigns(Silence(None, has_recorded)),
        collectors=[
            RUNNING.model_copy(update={"seen_at": NOW - DAY, "queued": 9_000, "version": "0.9"})
        ],
        keeping=Keeping(DAY, DAY, {}),
    )
    assert len(codes(report)) == 1


def test_worst_comes_first():
    report = replace(collector(version="1.1"), storage=replace(PLACE, disk_free=1))
    assert [each.severity for each in find_warnings(report)] == [Severity.BAD, Severity.WARN]


def test_warning_says_what_is_wrong_and_what_to_do():
    [warning] = find_warnings(quiet(42.4))
    assert warning.text == (
        "Nothing comes any more from Tea shop (for 5 hours, in which some 42 visits usually begin)."
    )
    assert warning.cure.startswith("Open a page of the website")


def test_every_warning_is_in_the_docs_and_no_other():
    table = DOCS.split("\n## The warnings\n")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(documented) == sorted(CODES)
    assert len(set(CODES)) == len(CODES)
