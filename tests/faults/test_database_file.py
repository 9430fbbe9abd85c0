"""The SQLite file is damaged while a collector serves it, or was before: nothing is acknowledged that is not stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from collector.served_file import LARGE
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.file_shop import FileShop, command, stored
from tests.helpers.running_collector import wait_for

pytestmark = pytest.mark.long

PAGE = 4096


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorProcess]:
    """A collector, which is not started yet, with a site that has visits."""
    collector = CollectorProcess(tmp_path, ["shop"])
    yield collector
    collector.kill()


def overwrite(file: Path, at: int, content: bytes) -> None:
    """Change bytes in the middle of a file, as a failing disk does."""
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(content)


def damage_tables(collector: CollectorProcess) -> None:
    """Every page but the first."""
    file = collector.database
    overwrite(file, PAGE, b"\xff" * (file.stat().st_size - PAGE))


def damage_header(collector: CollectorProcess) -> None:
    """The first page, which says what the file is: while it is served, the next checkpoint writes it anew."""
    collector.kill()
    overwrite(collector.database, 0, b"\x00" * PAGE)
    Path(f"{collector.database}-wal").unlink()
    collector.begin()


def damage_log(collector: CollectorProcess) -> None:
    """All of SQLite's log but its head: what was committed since the log was emptied last."""
    log = Path(f"{collector.database}-wal")
    overwrite(log, 32, b"\xee" * max(log.stat().st_size - 32, 0))


@pytest.mark.parametrize("damage", [damage_tables, damage_header, damage_log])
def test_file_damaged_while_it_is_served_is_closed_until_it_was_restored(
    collector: CollectorProcess, tmp_path: Path, damage: Callable[[CollectorProcess], None]
):
    collector.start()
    shop = FileShop(collector)
    for _ in range(20):
        assert shop.send().status_code == 200
    command(collector, "backup", str(tmp_path / "backup.db"))
    kept = list(shop.acknowledged)
    shop.answers.clear()

    damage(collector)
    wait_for(lambda: shop.is_refused() and shop.is_closed(), 60)

    refused = shop.send()
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    assert refused.headers["access-control-allow-origin"] == "*"
    assert 200 not in shop.answers[shop.answers.index(503) :]
    assert shop.http.get("/healthz").status_code == 200
    assert shop.http.get("/embed/visitor-monitor.js").status_code == 200
    assert str(collector.database) in shop.readiness()[1]

    collector.kill()
    collector.begin()
    wait_for(shop.is_closed, 60)
    assert shop.send().status_code == 503

    said = command(collector, "restore", "--yes", str(tmp_path / "backup.db"))
    wait_for(shop.is_open, 60)
    assert shop.send().status_code == 200
    assert set(kept) | {shop.acknowledged[-1]} == set(stored(collector))
    assert "What was there before is kept as" in said
    assert not Path(f"{collector.database}.damaged").exists()


@pytest.mark.parametrize("content", [b"no database at all" * 500, b"SQLite format 3\0" * 500])
def test_file_damaged_at_the_start_is_answered_for_and_not_overwritten(
    tmp_path: Path, content: bytes
):
    collector = CollectorProcess(tmp_path, ["shop"])
    collector.database.write_bytes(content)
    collector.begin()
    shop = FileShop(collector)
    try:
        wait_for(shop.is_closed, 60)
        assert shop.send().status_code == 503
        assert collector.database.read_bytes() == content
    finally:
        collector.kill()


def test_large_file_left_by_a_killed_collector_is_checked_beside_serving(
    collector: CollectorProcess,
):
    grow(collector.database)
    collector.start()
    shop = FileShop(collector)
    assert shop.send().status_code == 200
    collector.kill()

    collector.start()
    wait_for(lambda: "database_file_checked" in collector.log.read_text(), 60)
    assert shop.send().status_code == 200

    collector.kill()
    overwrite(collector.database, 40_000_000, b"\xff" * PAGE * 50)
    collector.begin()
    wait_for(shop.is_closed, 60)
    assert "database_file_lost" in collector.log.read_text()


def grow(file: Path) -> None:
    """Make the file large, in pages that no question reads."""
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE ballast (content BLOB)")
        db.execute("INSERT INTO ballast VALUES (zeroblob(?))", [LARGE + 10_000_000])
        db.commit()
