"""Visitors of a shop whose collector's database file is damaged, deleted or replaced."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

import httpx

from core.database import open_database, reading
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.preloaded import ROOT
from tests.helpers.running_collector import CHROME, view


class FileShop:
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
