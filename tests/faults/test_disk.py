"""A disk that is full or takes no writes, and a database that another one keeps: said, survived, healed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.helpers.beacon_load import beacon_load
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.free_port import free_port
from tests.helpers.postgres_server import postgres_server
from tests.helpers.preloaded import ROOT
from tests.helpers.root_rights import need_root, run_as_root
from tests.helpers.running_collector import view, wait_for
from tests.helpers.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.long

LONG = "x" * 400
SOMEBODY = 65_534
UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Root without the right to write what others own, so that it can still run what only root may enter."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", "24m") as disk:
        yield disk


@pytest.fixture
def on_disk(disk: SmallDisk, tmp_path: Path) -> Iterator[CollectorProcess]:
    """A collector whose database is on the small disk, and its log elsewhere."""
    collector = CollectorProcess(tmp_path, ["shop"], f"sqlite:///{disk.folder}/monitor.db")
    collector.start()
    yield collector
    collector.kill()


def url(collector: CollectorProcess, path: str) -> str:
    return f"http://127.0.0.1:{collector.port}{path}"


def readiness(collector: CollectorProcess) -> httpx.Response:
    return httpx.get(url(collector, "/readyz"), timeout=20)


def is_ready(collector: CollectorProcess) -> bool:
    return readiness(collector).status_code == 200


def send(collector: CollectorProcess, number: int, **fields: str) -> int:
    """The status of one beacon: of a visit's page, or of another visit."""
    visit = fields.pop("visit", "a1b2c3d4e5f6g7h8")
    body = {"v": 1, "k": "shop", "s": visit, "t": "tab00001", "b": [view(number, **fields)]}
    return httpx.post(url(collector, "/v1/beacon"), json=body, timeout=20).status_code


def fill_until_refused(disk: SmallDisk, collector: CollectorProcess) -> None:
    """Until not even what SQLite's log has left takes a new visit."""
    disk.fill()
    for number in range(2_000):
        if send(collector, 1, visit=f"more{number:012d}", path=f"/{LONG}") == 503:
            return
    pytest.fail("a full disk takes everything")


def stored(database: Path) -> set[tuple[str, int]]:
    connection = sqlite3.connect(database)
    found = connection.execute("SELECT visit_id, number FROM page_view").fetchall()
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert len(found) == len(set(found))
    return set(found)


def test_full_disk_makes_the_collector_not_ready_with_the_cure(disk, on_disk):
    fill_until_refused(disk, on_disk)

    wait_for(lambda: not is_ready(on_disk))
    for _ in range(20):
        said = readiness(on_disk)
        assert said.status_code == 503, "also while a row that only changes would still fit"
        assert said.json()["database"] == "its disk is full"
        assert said.json()["reason"].startswith(f"{disk.folder} is full: make room there")
        assert send(on_disk, 2) in (200, 503)
        if send(on_disk, 1, visit="b1b2c3d4e5f6g7h8", path=f"/{LONG}") == 200:
            break
    assert f"cure='{disk.folder} is full" in on_disk.log.read_text()


def test_full_disk_heals_without_a_beacon_once_there_is_room(disk, on_disk):
    fill_until_refused(disk, on_disk)
    wait_for(lambda: not is_ready(on_disk))

    disk.make_room()

    wait_for(lambda: is_ready(on_disk))
    assert send(on_disk, 1, visit="c1b2c3d4e5f6g7h8") == 200


def test_full_disk_loses_and_doubles_nothing_that_was_acknowledged(disk, on_disk):
    # Long paths: of short ones thousands fit into what a full disk's database has left.
    with beacon_load(url(on_disk, ""), "shop", LONG) as load:
        wait_for(lambda: len(load.acknowledged) > 50)
        for _ in range(3):
            disk.fill()
            wait_for(lambda: not is_ready(on_disk))
            disk.make_room()
            wait_for(lambda: is_ready(on_disk))
            before = len(load.acknowledged)
            wait_for(lambda before=before: len(load.acknowledged) > before + 20)
    on_disk.stop()

    assert set(load.acknowledged) <= stored(disk.folder / "monitor.db")
    assert len(load.acknowledged) == len(set(load.acknowledged))


def test_file_held_by_another_writer_makes_the_collector_not_ready_and_heals(tmp_path):
    collector = CollectorProcess(tmp_path, ["shop"])
    collector.start()
    other = sqlite3.connect(collector.database)
    other.execute("BEGIN IMMEDIATE")
    assert send(collector, 1) == 503

    assert not is_ready(collector)
    wait_for(lambda: f"keeps {collector.database} locked" in readiness(collector).text, 40)
    other.rollback()

    wait_for(lambda: is_ready(collector), 40)
    assert send(collector, 1) == 200
    collector.kill()


def test_frozen_postgres_makes_the_collector_not_ready_and_heals(tmp_path):
    with postgres_server() as server:
        server.execute("CREATE DATABASE monitor")
        collector = CollectorProcess(tmp_path, ["shop"], server.url("monitor"))
        collector.start()
        assert send(collector, 1) == 200
        frozen = [int((server.directory / "data" / "postmaster.pid").read_text().split()[0])]
        frozen += children(frozen[0])
        signal_all(frozen, signal.SIGSTOP)
        try:
            assert send(collector, 2) == 503
            said = readiness(collector)
            assert said.status_code == 503
            assert said.json()["database"] == "does not answer"
            assert "its server runs" in said.json()["reason"]
        finally:
            signal_all(frozen, signal.SIGCONT)
        wait_for(lambda: is_ready(collector), 40)
        assert send(collector, 2) == 200
        collector.kill()


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    return [int(each) for each in found.split()]


def signal_all(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        os.kill(process, number)


def fail(folder: Path, module: str, *arguments: str, prefix: tuple[str, ...] = ()) -> str:
    """The one line that a process says which cannot write its database in this folder."""
    done = subprocess.run(
        [*prefix, sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "MONITOR_DATABASE_URL": f"sqlite:///{folder}/monitor.db"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    return done.stderr.strip()


def start_in_vain(folder: Path, prefix: tuple[str, ...] = ()) -> str:
    return fail(folder, "collector", "--port", str(free_port()), prefix=prefix)


def test_read_only_disk_is_named_with_the_cure_at_the_start(disk):
    disk.set_writable(is_writable=False)

    said = start_in_vain(disk.folder)

    assert said == (
        f"The disk of {disk.folder} is mounted read-only: see the system's log for why, and mount it "
        "writable (mount -o remount,rw)."
    )


def test_full_disk_is_named_with_the_cure_at_the_start(disk):
    disk.fill()

    said = start_in_vain(disk.folder)

    assert said == (
        f"{disk.folder} is full: make room there, or move the database to a larger disk."
    )


def test_full_disk_behind_a_link_is_the_one_that_is_named(disk, tmp_path):
    link = tmp_path / "link.db"
    link.symlink_to(disk.folder / "monitor.db")
    collector = CollectorProcess(tmp_path, ["shop"], f"sqlite:///{link}")
    collector.start()
    try:
        fill_until_refused(disk, collector)
        wait_for(lambda: not is_ready(collector))
        assert readiness(collector).json()["reason"].startswith(f"{disk.folder} is full")
    finally:
        collector.kill()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """With its tables."""
    need_root("to give a file to another user")
    return CollectorProcess(tmp_path, ["shop"]).database


STARTED = [("collector", "--port", str(free_port())), ("core", "site", "add", "Tea")]


@pytest.mark.parametrize("started", STARTED)
def test_file_of_another_user_is_named_with_the_cure(database, started):
    os.chown(database, SOMEBODY, SOMEBODY)
    database.chmod(0o644)

    said = fail(database.parent, *started, prefix=UNPRIVILEGED)

    assert said == f"{database} may not be written by this user (uid 0): chown 0 {database}"


@pytest.mark.parametrize("started", STARTED)
def test_folder_of_another_user_is_named_with_the_cure(database, started):
    folder = database.parent
    os.chown(folder, SOMEBODY, SOMEBODY)
    folder.chmod(0o755)

    said = fail(folder, *started, prefix=UNPRIVILEGED)

    assert said == f"{folder} may not be written by this user (uid 0): chown 0 {folder}"


def test_file_that_is_protected_is_named_with_the_cure_at_the_start(tmp_path):
    collector = CollectorProcess(tmp_path, ["shop"])
    with protected(collector.database):
        said = start_in_vain(tmp_path)
    assert said == (
        f"{collector.database} is protected from being written: take that off (lsattr shows it, chattr -i)"
    )


@contextmanager
def protected(file: Path) -> Iterator[None]:
    """While it lasts, not even root may write the file."""
    run_as_root("to protect a file", "chattr", "+i", str(file))
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(file)], check=True)
