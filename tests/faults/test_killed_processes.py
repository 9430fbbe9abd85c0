"""One of the collector's processes is killed: nothing that was acknowledged is lost, and it comes again by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import httpx
import pytest

from core.database import open_database, reading
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.running_collector import CHROME, view, wait_for

pytestmark = pytest.mark.long

VISITORS = 12
Start = Callable[..., CollectorProcess]


@pytest.fixture
def start(tmp_path: Path, database_url: str) -> Iterator[Start]:
    """Starts a collector, on both databases, with so many workers."""
    started: list[CollectorProcess] = []

    def start(workers: int = 1, **settings: str) -> CollectorProcess:
        process = CollectorProcess(tmp_path, ["shop"], database_url, workers=workers, **settings)
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.kill()


class Visitor:
    """Sends page views, each again until it is answered, as the script does."""

    def __init__(self, process: CollectorProcess, number: int) -> None:
        self._url = f"http://127.0.0.1:{process.port}/v1/beacon"
        self.visit = f"visit{number:011d}"
        self.acknowledged = 0
        self.is_over = Event()

    def send(self) -> int:
        """Until it is over; the number of the views that were acknowledged."""
        with httpx.Client(timeout=20) as http:
            while not self.is_over.is_set():
                if self._is_taken(http):
                    self.acknowledged += 1
        return self.acknowledged

    def _is_taken(self, http: httpx.Client) -> bool:
        sent = view(self.acknowledged + 1, f"/{self.acknowledged + 1}")
        body = {"v": 1, "k": "shop", "s": self.visit, "t": "tab00001", "b": [sent]}
        with suppress(httpx.TransportError):
            answer = http.post(self._url, json=body, headers={"User-Agent": CHROME})
            assert answer.status_code in (200, 503), answer.text
            return answer.status_code == 200
        return False


def send_meanwhile(process: CollectorProcess, fault: Callable[[], object]) -> dict[str, int]:
    """The views that each visitor had acknowledged, while this happens and a while longer."""
    visitors = [Visitor(process, number) for number in range(VISITORS)]
    with ThreadPoolExecutor(VISITORS) as pool:
        done = [pool.submit(each.send) for each in visitors]
        try:
            wait_for(lambda: all(each.acknowledged > 2 for each in visitors), 60)
            fault()
            before = [each.acknowledged for each in visitors]
            wait_for(
                lambda: all(
                    each.acknowledged > past + 2
                    for each, past in zip(visitors, before, strict=True)
                ),
                60,
            )
        finally:
            for each in visitors:
                each.is_over.set()
        return {each.visit: found.result() for each, found in zip(visitors, done, strict=True)}


def kill(process: CollectorProcess, name: str) -> None:
    """Kill one of these, and wait until another one has taken its place."""
    (pid, *_) = process.parts(name)
    number = len(process.parts(name))
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(found := process.parts(name)) == number and pid not in found, 60)


def stored(process: CollectorProcess) -> tuple[dict[str, int], dict[str, int]]:
    """The pages that each visit counts, and those that it has."""
    engine = open_database(process.url)
    with reading(engine) as db:
        counted = db.exec_driver_sql("SELECT id, page_count FROM visit").all()
        views = "SELECT visit_id, count(*) FROM page_view GROUP BY visit_id"
        kept = db.exec_driver_sql(views).all()
    engine.dispose()
    return {row[0]: row[1] for row in counted}, {row[0]: row[1] for row in kept}


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_writer_loses_nothing_that_was_acknowledged_and_doubles_nothing(
    start: Start, workers: int
) -> None:
    process = start(workers)

    def kill_twice() -> None:
        for _ in range(2):
            kill(process, "writer")

    acknowledged = send_meanwhile(process, kill_twice)

    process.stop()
    # A view that was committed when its writer died is acknowledged at its retry, or nobody has sent it again yet.
    for found in stored(process):
        assert acknowledged.keys() == found.keys()
        assert all(found[visit] - views in (0, 1) for visit, views in acknowledged.items())
    assert process.log.read_text().count("process_failed process=writer") == 2


def test_killed_worker_loses_nothing_that_was_acknowledged(start: Start) -> None:
    process = start(2)

    acknowledged = send_meanwhile(process, lambda: kill(process, "worker"))

    process.stop()
    for found in stored(process):
        assert all(found[visit] - views in (0, 1) for visit, views in acknowledged.items())


def test_what_a_killed_worker_has_counted_stays_in_the_metrics(start: Start) -> None:
    process = start(1)
    acknowledged = send_meanwhile(process, lambda: kill(process, "worker"))

    accepted = number(process, 'monitor_beacons_total{result="accepted"}')

    assert accepted >= sum(acknowledged.values()) - VISITORS
    assert number(process, "monitor_chat_feed_up") == 1


def test_killed_parent_takes_all_its_processes_with_it(start: Start) -> None:
    process = start(2)
    parts = process.parts()
    assert len(parts) == 3

    process.kill()

    wait_for(lambda: not any(map(is_there, parts)), 20)
    process.start()
    assert httpx.get(f"http://127.0.0.1:{process.port}/healthz").status_code == 200


def test_writer_that_is_gone_or_stopped_is_said_by_readiness(start: Start) -> None:
    process = start(1)
    for _ in range(2):
        kill(process, "writer")
    os.kill(process.parts("writer")[0], signal.SIGKILL)
    wait_for(lambda: "has no writer" in readiness(process), 20)
    wait_for(lambda: '"ready"' in readiness(process), 60)

    (writer,) = process.parts("writer")
    os.kill(writer, signal.SIGSTOP)
    try:
        wait_for(lambda: '"not ready"' in readiness(process), 60)
    finally:
        os.kill(writer, signal.SIGCONT)
    wait_for(lambda: '"ready"' in readiness(process), 60)


def test_limits_and_metrics_are_those_of_all_workers_together(start: Start) -> None:
    process = start(2, MONITOR_RATE_LIMIT="1/min burst 30", MONITOR_TRUSTED_PROXIES="127.0.0.1")
    url = f"http://127.0.0.1:{process.port}/v1/beacon"
    body = {"v": 1, "k": "shop", "s": "a1b2c3d4e5f6g7h8", "t": "tab00001"}
    headers = {"User-Agent": CHROME, "X-Forwarded-For": "198.51.100.7"}

    def post(page: int) -> int:  # each on a connection of its own, so that both workers get some
        return httpx.post(url, json={**body, "b": [view(page)]}, headers=headers).status_code

    statuses = [post(page) for page in range(1, 61)]

    accepted, refused = statuses.count(200), statuses.count(429)
    assert accepted in (30, 31)  # a slow machine may take a minute
    assert accepted + refused == len(statuses)
    assert number(process, 'monitor_beacons_total{result="accepted"}') == accepted
    assert number(process, 'monitor_beacons_total{result="rate_limit"}') == refused


def number(process: CollectorProcess, metric: str) -> float:
    lines = httpx.get(f"http://127.0.0.1:{process.port}/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{metric} ")).split()[1])


def readiness(process: CollectorProcess) -> str:
    return httpx.get(f"http://127.0.0.1:{process.port}/readyz", timeout=20).text


def is_there(pid: int) -> bool:
    """Whether the process runs; one that nobody has waited for yet does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
