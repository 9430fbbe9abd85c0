"""The SQLite file is deleted, moved or replaced while a collector serves it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.serving_lock import serving_lock
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.file_shop import FileShop, command, stored
from tests.helpers.running_collector import wait_for

pytestmark = pytest.mark.long


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorProcess]:
    """A collector that serves a site."""
    collector = CollectorProcess(tmp_path, ["shop"])
    try:
        collector.start()
        yield collector
    finally:
        collector.kill()


@pytest.fixture
def shop(collector: CollectorProcess) -> FileShop:
    """A site with three visits."""
    shop = FileShop(collector)
    for _ in range(3):
        assert shop.send().status_code == 200
    return shop


def is_lost(shop: FileShop) -> bool:
    """Whether the collector has noticed it, and says so."""
    return shop.is_refused() and shop.is_closed()


def test_nothing_is_acknowledged_in_a_deleted_file_and_what_it_held_is_saved(
    collector: CollectorProcess, shop: FileShop
):
    collector.database.unlink()

    assert shop.send().status_code == 503
    wait_for(lambda: is_lost(shop) and "rescued" in shop.readiness()[1], 60)
    assert not collector.database.exists()
    (rescued,) = collector.database.parent.glob("monitor.db.rescued-*")
    assert str(rescued) in shop.readiness()[1]
    assert oct(rescued.stat().st_mode & 0o777) == "0o600"

    command(collector, "restore", "--yes", str(rescued))
    wait_for(shop.is_open, 60)
    assert shop.send().status_code == 200
    assert set(shop.acknowledged) <= set(stored(collector))


@pytest.mark.parametrize("lies_there", [False, True], ids=["nothing", "an empty file"])
def test_restart_makes_no_empty_database_in_the_place_of_a_deleted_one(
    collector: CollectorProcess, shop: FileShop, lies_there: bool
):
    collector.database.unlink()
    wait_for(lambda: is_lost(shop) and "rescued" in shop.readiness()[1], 60)
    if lies_there:
        collector.database.touch()

    collector.stop()
    collector.begin()

    wait_for(lambda: is_lost(shop), 60)
    assert collector.database.exists() == lies_there
    (rescued,) = collector.database.parent.glob("monitor.db.rescued-*")
    assert str(rescued) in shop.readiness()[1]
    command(collector, "restore", "--yes", str(rescued))
    wait_for(shop.is_open, 60)
    assert set(shop.acknowledged) <= set(stored(collector))


def test_folder_in_the_place_of_the_file_is_named_and_what_it_held_is_saved(
    collector: CollectorProcess, shop: FileShop
):
    collector.database.unlink()
    collector.database.mkdir()

    wait_for(lambda: is_lost(shop) and "rescued" in shop.readiness()[1], 60)
    assert "is a folder" in shop.readiness()[1]

    collector.stop()
    collector.begin()
    wait_for(lambda: is_lost(shop) and "is a folder" in shop.readiness()[1], 60)
    (rescued,) = collector.database.parent.glob("monitor.db.rescued-*")
    collector.database.rmdir()
    command(collector, "restore", "--yes", str(rescued))
    wait_for(shop.is_open, 60)
    assert set(shop.acknowledged) <= set(stored(collector))


def test_folder_of_the_file_that_was_moved_is_waited_for_and_not_made_anew(
    tmp_path: Path,
):
    collector = CollectorProcess(tmp_path / "data", ["shop"])
    collector.log = tmp_path / "collector.log"
    try:
        collector.start()
        shop = FileShop(collector)
        assert shop.send().status_code == 200
        aside = collector.database.parent.rename(tmp_path / "aside")

        assert shop.send().status_code == 503
        gone = f"is gone: {collector.database}"
        wait_for(lambda: gone in shop.http.get("/readyz").text, 60)
        assert shop.http.get("/readyz").status_code == 503
        assert not collector.database.parent.exists()

        aside.rename(collector.database.parent)
        wait_for(shop.is_open, 60)
        assert shop.send().status_code == 200
        assert set(shop.acknowledged) == set(stored(collector))
    finally:
        collector.kill()


def test_moved_file_that_is_put_back_is_served_again_with_all_that_was_acknowledged(
    collector: CollectorProcess, shop: FileShop
):
    aside = collector.database.rename(collector.database.with_name("aside.db"))

    assert shop.send().status_code == 503
    wait_for(lambda: is_lost(shop), 60)
    assert not collector.database.exists()
    assert not list(aside.parent.glob("monitor.db.rescued-*"))

    aside.rename(collector.database)
    wait_for(shop.is_open, 60)
    assert shop.send().status_code == 200
    assert set(shop.acknowledged) == set(stored(collector))


def test_backup_in_the_place_of_the_file_is_served_and_nothing_else_is_acknowledged(
    collector: CollectorProcess, shop: FileShop, tmp_path: Path
):
    command(collector, "backup", str(tmp_path / "backup.db"))
    kept = list(shop.acknowledged)

    (tmp_path / "backup.db").replace(collector.database)
    assert shop.send().status_code == 503

    wait_for(lambda: not shop.is_refused(), 60)
    assert shop.send().status_code == 200
    late = shop.acknowledged[len(kept) :]
    assert late
    collector.stop()
    assert set(stored(collector)) == {*kept, *late}


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1_000, None])
def test_something_else_in_the_place_of_the_file_is_not_served(
    collector: CollectorProcess, shop: FileShop, tmp_path: Path, content: bytes | None
):
    other = tmp_path / "other.db"
    if content is None:
        with closing(sqlite3.connect(other)) as db:
            db.execute("CREATE TABLE recipe (name TEXT)")
    else:
        other.write_bytes(content)
    there = other.read_bytes()

    other.replace(collector.database)
    wait_for(lambda: is_lost(shop), 60)

    assert 403 not in shop.answers
    assert shop.answers[3:] == [503] * len(shop.answers[3:])
    assert collector.database.read_bytes() == there
    (rescued,) = tmp_path.glob("monitor.db.rescued-*")
    shutil.copy(rescued, tmp_path / "copy.db")
    (tmp_path / "copy.db").replace(collector.database)
    wait_for(shop.is_open, 60)
    assert shop.send().status_code == 200
    assert set(shop.acknowledged) == set(stored(collector))


def test_collector_whose_lock_somebody_else_took_stops_serving_until_they_end(
    collector: CollectorProcess, shop: FileShop
):
    Path(f"{collector.database}.lock").unlink()
    with serving_lock(collector.url):
        wait_for(shop.is_refused, 60)
        wait_for(lambda: "Another collector" in shop.readiness()[1], 60)

    wait_for(shop.is_open, 60)
    assert shop.send().status_code == 200


def test_lock_file_that_was_removed_is_there_again_and_refuses_a_second_collector(
    collector: CollectorProcess, tmp_path: Path
):
    lock = Path(f"{collector.database}.lock")
    lock.unlink()
    wait_for(lock.exists, 60)
    second = CollectorProcess(tmp_path, [])

    second.begin()

    assert second.wait(60) == 1
    assert "Another collector" in second.log.read_text()
    assert collector.is_running
