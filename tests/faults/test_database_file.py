"""The SQLite file is damaged while a collector serves it, or was before: nothing is acknowledged that is not stored."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from core.database import open_database, reading
from tests.helpers.collector_process import ROOT, CollectorProcess
from tests.helpers.running_collector import CHROME, view, wait_for

PAGE = 4096


class Shop:
    """Visitors of a shop: each beacon is the first of a visit of its own."""

    def __init__(self, collector: CollectorProcess) -> None:
        self.url = f"http://127.0.0.1:{collector.port}"
        self.http = httpx.Client(base_url=self.url, timeout=20)
        self.sent = 0
        self.acknowledged: list[str] = []
        self.answers: list[int] = []

    def send(self) -> httpx.Response:
        """One beacon; what was acknowledged is noted."""
        self.sent += 1
        visit = f"visit{self.sent:011d}"
        body = {"v": 1, "k": "shop", "s": visit, "t": "tab00001", "b": [view(path=f"/{self.sent}")]}
        answer = self.http.post("/v1/beacon", json=body, headers={"User-Agent": CHROME})
        self.answers.append(answer.status_code)
        if answer.status_code == 200:
            self.acknowledged.append(answer.json()["s"])
        return answer

    def is_refused(self) -> bool:
        """Whether one more beacon gets 503; a process that is not there yet gives no answer."""
        with suppress(httpx.TransportError):
            return self.send().status_code == 503
        return False

    def readiness(self) -> tuple[int, str]:
        """The status of /readyz, and what it says of the database."""
        answer = self.http.get("/readyz")
        return answer.status_code, answer.json()["database"]

    def is_closed(self) -> bool:
        """Whether it answers that the database cannot be used, with the cure."""
        with suppress(httpx.TransportError):
            status, said = self.readiness()
            return status == 503 and "core restore" in said
        return False

    def is_open(self) -> bool:
        """Whether it is served."""
        with suppress(httpx.TransportError):
            return self.readiness()[0] == 200
        return False


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorProcess]:
    """A collector, which is not started yet, with a site that has visits."""
    collector = CollectorProcess(tmp_path, ["shop"])
    yield collector
    collector.kill()


def stored(collector: CollectorProcess) -> list[str]:
    """The visits of the database."""
    engine = open_database(collector.url)
    with reading(engine) as db:
        found = db.exec_driver_sql("SELECT id FROM visit").scalars().all()
    engine.dispose()
    return list(found)


def command(collector: CollectorProcess, *arguments: str) -> str:
    """What `python -m core ...` says; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "core", *arguments],
        cwd=ROOT,
        env=os.environ | {"MONITOR_DATABASE_URL": collector.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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
    shop = Shop(collector)
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
    shop = Shop(collector)
    try:
        wait_for(shop.is_closed, 60)
        assert shop.send().status_code == 503
        assert collector.database.read_bytes() == content
    finally:
        collector.kill()
