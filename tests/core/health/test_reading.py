"""What is measured is what is in the database, on SQLite and on Postgres."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert

from core.backups import BackupKind, record_backup
from core.chore_runs import ChoreName, record_chore_run
from core.database import open_database, reading, writing
from core.health.reading import read_health
from core.health.report import CollectorSigns, HealthReport, SiteHealth
from core.heartbeat import CollectorLoad, Silence, record_heartbeat
from core.settings import Settings
from core.sites import add_site, list_sites
from core.tables import DropCount, SiteOrigin, VisitCount
from core.version import VERSION
from tests.helpers.chat_rows import NOW
from tests.helpers.seed import make_visit

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def read(
    engine: Engine, url: str, signs: CollectorSigns | None = None, **settings: object
) -> HealthReport:
    chosen = Settings(database_url=url, **settings)  # pyright: ignore[reportArgumentType]
    with reading(engine) as db:
        return read_health(db, chosen, signs or CollectorSigns(), NOW)


def test_everything_is_measured(database: Engine, database_url: str, tmp_path):
    with writing(database) as db:
        site = add_site(db, name="Tea shop", key="tea", now=NOW - DAY)
        record_heartbeat(db, "a", VERSION, NOW - DAY, NOW, CollectorLoad(3, 20, NOW - HOUR))
        record_chore_run(db, ChoreName.VISITS, NOW, is_done=True)
        record_backup(db, BackupKind.BACKUP, tmp_path / "copy.db", 100, NOW)
        record_backup(db, BackupKind.UPGRADE, tmp_path / "before.db", 100, NOW + HOUR)
        drop = {"site_id": site.id, "starts_at": NOW - HOUR, "reason": "bot", "hits": 4}
        db.execute(insert(DropCount), [drop, {**drop, "site_id": 0}])
        seen = {"site_id": site.id, "hits": 1, "first_seen_at": NOW - DAY}
        db.execute(insert(SiteOrigin), [
            {**seen, "host": "tea.example", "last_seen_at": NOW - HOUR},
            {**seen, "host": "pots.example", "last_seen_at": NOW},
        ])  # fmt: skip
    make_visit(database, site, "old", now=NOW - 2 * DAY)
    make_visit(database, site, "new", now=NOW)
    report = read(database, database_url, retention_days=0)
    name = "SQLite 3." if report.is_sqlite else "Postgres 1"
    assert report.database.startswith(name) and report.schema
    assert (report.database_bytes or 0) > 10_000
    assert [(each.queued, each.commit_ms) for each in report.running] == [(3, 20)]
    [found] = report.sites
    assert found == SiteHealth(site, NOW, 0, found.oldest_visit_at)
    assert report.oldest_visit_at == NOW - 2 * DAY - timedelta(seconds=20)
    assert {
        id: {name: each.hits for name, each in drops.items()} for id, drops in report.drops.items()
    } == {
        site.id: {"bot": 4},
        0: {"bot": 4},
    }
    assert (report.keeping.visits, report.keeping.chats) == (None, 30 * DAY)
    assert report.keeping.chores["visits"].done_at == NOW
    assert report.last_backup and report.last_backup.file == str(tmp_path / "copy.db")


def test_database_without_anything_has_no_facts(database: Engine, database_url: str):
    report = read(database, database_url)
    assert (report.collectors, report.sites, report.drops) == ([], [], {})
    assert (report.newest_heartbeat, report.oldest_visit_at, report.last_backup) == (None,) * 3


def test_oldest_reader_of_sqlite_is_what_the_collector_has_found(sqlite_url: str):
    engine = open_database(sqlite_url)
    with writing(engine) as db:
        record_heartbeat(db, "a", VERSION, NOW, NOW, CollectorLoad(0, 0, NOW - HOUR))
    assert read(engine, sqlite_url).reader_since == NOW - HOUR


def test_reader_of_a_collector_that_has_ended_is_forgotten(sqlite_url: str):
    engine = open_database(sqlite_url)
    a_minute_ago = NOW - timedelta(minutes=1)
    with writing(engine) as db:
        held = CollectorLoad(0, 0, NOW - HOUR)
        record_heartbeat(db, "before", VERSION, NOW - DAY, a_minute_ago, held)
        record_heartbeat(db, "after", VERSION, NOW, NOW)
    assert read(engine, sqlite_url).reader_since is None


def test_reader_is_unknown_while_no_collector_looks(sqlite_url: str):
    engine = open_database(sqlite_url)
    with writing(engine) as db:
        record_heartbeat(db, "a", VERSION, NOW - DAY, NOW - HOUR, CollectorLoad(0, 0, NOW - HOUR))
    silence = CollectorSigns(Silence(NOW - HOUR, has_recorded=True))
    assert read(engine, sqlite_url, silence).reader_since is None


@pytest.mark.parametrize("kind", ["autovacuum worker", "walsender"])
def test_what_postgres_does_by_itself_is_no_reader(postgres_url: str, kind: str):
    """A view of the same name, found first, stands for a server on which such a thing runs for hours."""
    engine = open_database(postgres_url)
    with writing(engine) as db:
        db.exec_driver_sql(
            "CREATE TEMPORARY VIEW pg_stat_activity AS SELECT current_database() AS datname, "
            f"0 AS pid, '' AS application_name, timestamptz '2026-01-01' AS xact_start, '{kind}' AS backend_type"
        )
        db.exec_driver_sql("SET LOCAL search_path = pg_temp, pg_catalog, public")
        report = read_health(db, Settings(database_url=postgres_url), CollectorSigns(), NOW)
    assert report.reader_since is None
    engine.dispose()


def test_oldest_reader_of_postgres_is_its_oldest_transaction(postgres_url: str):
    engine, other = open_database(postgres_url), open_database(postgres_url)
    assert read(engine, postgres_url).reader_since is None
    with reading(other) as db:
        list_sites(db)
        assert read(engine, postgres_url).reader_since is not None
    for each in (engine, other):
        each.dispose()


@pytest.mark.parametrize(
    ("quiet", "missed"),
    [
        (timedelta(minutes=59), 0),
        (2 * HOUR, 2 * 12),  # as few as a week ago
        (2 * DAY, 2 * 24 * (12 + 6 * 20) / 7),
    ],
)
def test_what_a_silent_site_has_missed_is_told_from_the_week_before(
    database: Engine, database_url: str, quiet: timedelta, missed: float
):
    """12 visits an hour on the day a week before, 20 on the other days."""
    last_at = NOW.replace(minute=0, second=0, microsecond=0)
    now = last_at + quiet
    with writing(database) as db:
        site = add_site(db, name="Tea shop", key="tea", now=NOW)
        origin = {"site_id": site.id, "host": "tea.example", "first_seen_at": NOW, "hits": 1}
        db.execute(insert(SiteOrigin), [{**origin, "last_seen_at": last_at}])
        hours = [last_at - ago * HOUR for ago in range(1, 7 * 24 + 1)]
        db.execute(
            insert(VisitCount),
            [
                {
                    "site_id": site.id,
                    "starts_at": hour,
                    "visits": 12 if last_at - hour > 6 * DAY else 20,
                }
                for hour in hours
            ],
        )
    chosen = Settings(database_url=database_url)
    with reading(database) as db:
        [found] = read_health(db, chosen, CollectorSigns(), now).sites
    assert found.missed == pytest.approx(missed)


def test_questions_use_indexes(plan_of):
    chosen = Settings(database_url="sqlite:////nowhere/monitor.db")
    plan = plan_of(read_health, chosen, CollectorSigns(), NOW)
    for table in ("visit", "visit_count", "drop_count"):
        assert f"SCAN {table} " not in f"{plan} "
