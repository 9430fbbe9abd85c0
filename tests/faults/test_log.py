"""A log that nobody reads stops nobody, and SQLite's log stays small whatever reads the database."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import httpx
import pytest

from collector.writing.checkpoints import LOG_LIMIT, SHARE_OF_DISK, Checkpoints
from core.database import open_database, reading, writing
from tests.helpers.beacon_load import beacon_load
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.preloaded import ROOT
from tests.helpers.running_collector import view, wait_for
from tests.helpers.small_disk import small_disk

pytestmark = pytest.mark.long

MOST_LOG = 100_000_000


def test_log_pipe_that_nobody_reads_stops_no_beacon(tmp_path):
    collector = CollectorProcess(tmp_path, ["shop"])
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while os.write(write, b"0" * 65_536):
            pass
    except BlockingIOError:
        os.set_blocking(write, True)
    process = subprocess.Popen(
        [sys.executable, "-m", "collector", "--port", str(collector.port)],
        cwd=ROOT,
        env={
            **os.environ,
            "MONITOR_DATABASE_URL": collector.url,
            "MONITOR_RATE_LIMIT": "off",
            "MONITOR_COUNT_BOTS": "on",
        },
        stdout=write,
        stderr=write,
    )
    url = f"http://127.0.0.1:{collector.port}"
    try:
        wait_for(lambda: is_up(url), 30)
        other = sqlite3.connect(collector.database)
        for number in range(1, 4):  # each time the writer logs that the database fails, and is back
            other.execute("BEGIN IMMEDIATE")
            assert send(url, number) == 503
            other.rollback()
            wait_for(lambda number=number: send(url, number) == 200, 40)
        with beacon_load(url, "shop") as load:
            wait_for(lambda: len(load.acknowledged) > 100)
        process.terminate()
        assert process.wait(30) is not None
    finally:
        process.kill()
        process.wait()
        os.close(read)
        os.close(write)


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def send(url: str, number: int) -> int:
    body = {"v": 1, "k": "shop", "s": "a1b2c3d4e5f6g7h8", "t": "tab00001", "b": [view(number)]}
    return httpx.post(f"{url}/v1/beacon", json=body, timeout=20).status_code


def test_log_stays_small_while_short_readers_follow_one_another_without_a_gap(sqlite_url):
    engine = open_database(sqlite_url)
    checkpoints = Checkpoints(engine, lambda: 0)
    with writing(engine) as db:
        db.exec_driver_sql("CREATE TABLE filler (text)")
    largest = 0
    with readers(sqlite_url):
        for _ in range(100):  # 3 MB each
            with writing(engine) as db:
                db.exec_driver_sql("DELETE FROM filler")
                rows = [("x" * 3_500,)] * 700
                db.exec_driver_sql("INSERT INTO filler VALUES (?)", rows)
            checkpoints.keep_small()
            largest = max(largest, checkpoints.log_bytes)
    assert LOG_LIMIT < largest < MOST_LOG
    engine.dispose()


def test_log_of_a_file_behind_a_link_stays_small_as_well(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "real" / "monitor.db")
    engine = open_database(f"sqlite:///{tmp_path}/link.db")
    checkpoints = Checkpoints(engine, lambda: 0)
    with writing(engine) as db:
        db.exec_driver_sql("CREATE TABLE filler (text)")
    largest = 0
    for _ in range(30):  # 3 MB each
        with writing(engine) as db:
            db.exec_driver_sql("INSERT INTO filler VALUES (?)", [("x" * 3_500,)] * 700)
        checkpoints.keep_small()
        largest = max(largest, (tmp_path / "real" / "monitor.db-wal").stat().st_size)
    engine.dispose()
    assert 0 < largest < LOG_LIMIT


def test_log_never_fills_a_small_disk(tmp_path):
    size = 24_000_000
    with small_disk(tmp_path / "disk", f"{size}") as disk:
        engine = open_database(f"sqlite:///{disk.folder}/monitor.db")
        checkpoints = Checkpoints(engine, lambda: 0)
        with writing(engine) as db:
            db.exec_driver_sql("CREATE TABLE filler (text)")
        largest = 0
        for _ in range(40):  # 1 MB each, and as much to delete what was there
            with writing(engine) as db:
                db.exec_driver_sql("DELETE FROM filler")
                db.exec_driver_sql("INSERT INTO filler VALUES (?)", [("x" * 3_500,)] * 280)
            checkpoints.keep_small()
            largest = max(largest, checkpoints.log_bytes)
        engine.dispose()
    assert 0 < largest < SHARE_OF_DISK * size


@contextmanager
def readers(url: str) -> Iterator[None]:
    """Two that read in turns: one of them always has a snapshot, for a twentieth of a second."""
    is_over = Event()

    def read(first: float) -> None:
        engine = open_database(url)
        sleep(first)
        while not is_over.is_set():
            with reading(engine) as db:
                db.exec_driver_sql("SELECT count(*) FROM site").all()
                sleep(0.05)
        engine.dispose()

    threads = [Thread(target=read, args=(number * 0.025,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def test_restarts_in_a_row_leave_a_small_log(tmp_path):
    collector = CollectorProcess(tmp_path, ["shop"])
    log = Path(f"{collector.database}-wal")
    other = sqlite3.connect(collector.database)  # else SQLite deletes the log with its last user
    other.execute("SELECT count(*) FROM site").fetchall()
    sizes: list[int] = []
    for _ in range(4):
        collector.start()
        sizes.append(log.stat().st_size)
        with beacon_load(f"http://127.0.0.1:{collector.port}", "shop") as load:
            wait_for(lambda load=load: len(load.acknowledged) > 400)
        collector.kill()
    left = log.stat().st_size
    other.close()

    assert left > 200_000, "each leaves something to be emptied"
    assert max(sizes) < left


def test_long_reader_is_named_in_the_heartbeat(tmp_path):
    collector = CollectorProcess(tmp_path, ["shop"])
    collector.start()
    script = tmp_path / "report.py"
    script.write_text(
        "import sqlite3, sys\n"
        f"db = sqlite3.connect({str(collector.database)!r}, isolation_level=None)\n"
        "db.execute('BEGIN')\n"
        "db.execute('SELECT count(*) FROM visit').fetchall()\n"
        "print('reads', flush=True)\n"
        "sys.stdin.read()\n"
    )
    reader = subprocess.Popen(
        [sys.executable, str(script), "secret"],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert reader.stdout is not None and reader.stdout.readline() == "reads\n"
    url = f"http://127.0.0.1:{collector.port}"
    named = f"{Path(sys.executable).name} report.py (process {reader.pid})"
    until, number = monotonic() + 60, 0
    while reader_of(collector.database) != named:
        number += 1
        assert send(url, number) == 200
        assert monotonic() < until, reader_of(collector.database)
        sleep(0.2)
    reader.communicate()
    collector.kill()


def reader_of(database: Path) -> str:
    connection = sqlite3.connect(database)
    (found,) = connection.execute("SELECT coalesce(max(reader), '') FROM collector").fetchone()
    connection.close()
    return found
