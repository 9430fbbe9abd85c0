"""SIGTERM ends the collector soon, whatever its clients do, and what has arrived is answered."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import httpx
import pytest
from sqlalchemy import Engine

from core.database import open_database, reading, writing
from tests.helpers.collector_process import CollectorProcess
from tests.helpers.raw_connection import RawConnection, UnreadConnection, get
from tests.helpers.running_collector import CHROME, wait_for

pytestmark = pytest.mark.long

ENDS_WITHIN = 8
"""Seconds on a busy machine; three are promised, and fifteen were taken before there was a bound."""


@pytest.fixture
def process(tmp_path: Path, database_url: str):
    process = CollectorProcess(tmp_path, ["shop1"], database_url)
    process.start()
    yield process
    process.stop()


def beacon(visit: int) -> bytes:
    body = b'{"v":1,"k":"shop1","s":"visit%011d","t":"tab00001","b":[{"e":"v","n":1,"u":"/"}]}'
    body %= visit
    head = f"POST /v1/beacon HTTP/1.1\r\nHost: x\r\nUser-Agent: {CHROME}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_clients_that_do_nothing_do_not_keep_it(process):
    with ExitStack() as stack:
        for half in (
            b"",
            b"GET / HTTP/1.1\r\nHo",
            beacon(1)[:-1],
            get("/healthz", "Content-Length: 9"),
            get("/healthz") + b"GET",
        ):
            for _ in range(20):
                stack.enter_context(RawConnection(process.port)).send(half)
        for path in ("/demo/demo.css", "/embed/visitor-monitor-chat.js"):
            unread = stack.enter_context(UnreadConnection(process.port))
            for _ in range(1_000):
                if unread.asks_in_vain(get(path)):
                    break
                sleep(0.005)
        httpx.get(f"http://127.0.0.1:{process.port}/healthz").raise_for_status()

        began = monotonic()
        process.stop()

        assert monotonic() - began < ENDS_WITHIN
    assert "Traceback" not in process.log.read_text()


def test_beacons_that_have_arrived_are_committed_and_answered(process, database_url):
    engine = open_database(database_url)
    with ExitStack() as stack:
        connections = [stack.enter_context(RawConnection(process.port)) for _ in range(20)]
        with no_other_commit(engine):
            for number, connection in enumerate(connections):
                connection.send(beacon(number))
            for _ in range(3):  # the loop has read what was sent before
                httpx.get(f"http://127.0.0.1:{process.port}/healthz").raise_for_status()
            stopping = Thread(target=process.stop)
            stopping.start()
            wait_for(lambda: not _listens(process.port))
        stopping.join(ENDS_WITHIN)
        answers = Counter(each.read_to_end()[9:12] for each in connections)

    with reading(engine) as db:
        stored = db.exec_driver_sql("SELECT count(*) FROM page_view").scalar_one()
    engine.dispose()
    assert answers == {b"200": len(connections)}
    assert stored == len(connections)


def test_beacons_that_cannot_be_committed_at_a_stop_are_to_be_sent_again(process, database_url):
    engine = open_database(database_url)
    with ExitStack() as stack:
        connections = [stack.enter_context(RawConnection(process.port)) for _ in range(5)]
        with no_other_commit(engine):
            for number, connection in enumerate(connections):
                connection.send(beacon(number))
            for _ in range(3):
                httpx.get(f"http://127.0.0.1:{process.port}/healthz").raise_for_status()
            stopping = Thread(target=process.stop)
            stopping.start()
            answers = [each.read_to_end() for each in connections]
        stopping.join()
    engine.dispose()

    assert {each[9:12] for each in answers} == {b"503"}
    assert all(b"\r\nretry-after: " in each for each in answers)
    assert "Traceback" not in process.log.read_text()


@contextmanager
def no_other_commit(engine: Engine) -> Iterator[None]:
    """While it lasts, nobody else may store a visit."""
    with writing(engine) as db:
        if db.dialect.name == "postgresql":
            db.exec_driver_sql("LOCK TABLE visit IN SHARE MODE")
        yield


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
