"""Retention of very much: the space comes back, one line says so, and a full disk stops it for a while only."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.database import open_database, writing
from core.moment import utc_now
from tests.helpers.beacon_load import beacon_load
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.running_collector import wait_for
from tests.helpers.small_disk import SmallDisk, small_disk
from tests.helpers.stored_rows import store_views, store_visits

OLD = 2_500
MOST_LOG = 100_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", "160m") as disk:
        yield disk


def add_old_visits(url: str, number: int) -> None:
    """Visits of 100 days ago, of some 20 kB each."""
    at = utc_now() - timedelta(days=100)
    moments = dict.fromkeys(("started_at", "last_seen_at", "last_activity_at", "in_view_until"), at)
    engine = open_database(url)
    with writing(engine) as db:
        ids = [f"old{each:017d}" for each in range(number)]
        store_visits(
            db, [{"site_id": 1, "id": id, **moments, "referrer": "x" * 16_000} for id in ids]
        )
        page = {"site_id": 1, "tab": 1, "number": 1, "viewed_at": at, "path": "/old"}
        store_views(db, [{**page, "visit_id": id} for id in ids])
    engine.dispose()


def old_visits(database: Path) -> int:
    connection = sqlite3.connect(database, timeout=30)
    statement = "SELECT count(*) FROM page_view WHERE path = '/old'"
    (found,) = connection.execute(statement).fetchone()
    connection.close()
    return found


def acknowledged_are_stored(database: Path, acknowledged: list[tuple[str, int]]) -> bool:
    connection = sqlite3.connect(database)
    statement = "SELECT visit_id, number FROM page_view WHERE path <> '/old'"
    found = connection.execute(statement).fetchall()
    sound = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    return set(acknowledged) <= set(found) and len(found) == len(set(found)) and sound == [("ok",)]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_retention_gives_the_space_back_and_says_so_in_one_line_while_visitors_are_answered(
    tmp_path,
):
    collector = CollectorProcess(tmp_path, ["shop"])
    add_old_visits(collector.url, OLD)
    log = Path(f"{collector.database}-wal")
    collector.start()
    largest = 0
    with beacon_load(f"http://127.0.0.1:{collector.port}", "shop") as load:

        def is_done() -> bool:
            nonlocal largest
            largest = max(largest, log.stat().st_size)
            return "retention_done of=visits" in collector.log.read_text()

        wait_for(is_done, 300)
    collector.stop()

    lines = [line for line in collector.log.read_text().splitlines() if "retention_done" in line]
    (line,) = [line for line in lines if "of=visits" in line]
    said = re.search(r"deleted=(\d+) since=\S+Z seconds=\d+ given_back_mb=(\d+)", line)
    assert said and int(said[1]) == OLD
    assert int(said[2]) > 20
    assert collector.database.stat().st_size < 20_000_000, "of 50 MB"
    assert largest < MOST_LOG
    assert old_visits(collector.database) == 0
    assert acknowledged_are_stored(collector.database, load.acknowledged)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_disk_that_is_full_while_retention_runs_stops_it_until_there_is_room(disk, tmp_path):
    database = disk.folder / "monitor.db"
    collector = CollectorProcess(tmp_path, ["shop"], f"sqlite:///{database}")
    add_old_visits(collector.url, OLD)
    collector.start()
    with beacon_load(f"http://127.0.0.1:{collector.port}", "shop") as load:
        wait_for(lambda: 0 < old_visits(database) < OLD, 60)
        disk.fill()
        wait_for(lambda: "database_fails" in collector.log.read_text(), 120)
        disk.make_room()
        wait_for(lambda: "retention_done of=visits" in collector.log.read_text(), 300)
        before = len(load.acknowledged)
        wait_for(lambda: len(load.acknowledged) > before + 20, 60)
    collector.stop()

    assert old_visits(database) == 0
    assert acknowledged_are_stored(database, load.acknowledged)
