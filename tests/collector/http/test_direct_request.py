"""Beacons are answered by the protocol itself: in their turn, once, and within the bounds of all requests."""

from __future__ import annotations

import gc
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep

import pytest

from collector.http.direct_request import DirectRequest
from collector.http.protocol import MOST_PIPELINED
from core.database import writing
from core.locks import lock_site
from tests.helpers.raw_connection import RawConnection, UnreadConnection, get
from tests.helpers.running_collector import CHROME, ORIGIN, RunningCollector, view, wait_for

OK = b"HTTP/1.1 200 "


def beacon(
    number: int = 1,
    *headers: str,
    target: str = "/v1/beacon",
    version: str = "1.1",
    site: str = "shop1",
    agent: str = CHROME,
) -> bytes:
    """A page view of the visit of all these tests, which are told apart by their numbers."""
    body = {"v": 1, "k": site, "s": "a1b2c3d4e5f6g7h8", "t": "tab00001", "b": [view(number)]}
    text = json.dumps(body).encode()
    lines = [
        f"POST {target} HTTP/{version}",
        "Host: x",
        f"Origin: {ORIGIN}",
        f"User-Agent: {agent}",
        *headers,
        f"Content-Length: {len(text)}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + text


def statuses(received: bytes) -> list[int]:
    """Those of all answers, in their order."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def answers(collector: RunningCollector, *requests: bytes) -> bytes:
    """What comes for these requests, sent at once, of which the last one ends the connection."""
    with RawConnection(collector.port) as connection:
        return connection.send(b"".join(requests)).read_to_end()


def takes_no_more(collector: RunningCollector) -> bool:
    """Whether nobody can connect any more."""
    try:
        RawConnection(collector.port).close()
    except ConnectionError:
        return True
    return False


def views(collector: RunningCollector) -> int:
    """How many page views are stored."""
    return collector.row("SELECT count(*) FROM page_view")[0]


@contextmanager
def nothing_committed(collector: RunningCollector) -> Iterator[None]:
    """Somebody else holds the database: what is sent meanwhile waits."""
    with writing(collector.engine) as db:
        lock_site(db, 1)
        yield


def wait_until_taken(collector: RunningCollector) -> None:
    """Return once a hit waits to be committed."""
    wait_for(lambda: collector.app.beacon.write_queue.longest_wait > 0)


def test_beacons_and_other_requests_are_answered_in_their_order(collector):
    received = answers(
        collector,
        beacon(1),
        get("/embed/none.js"),
        beacon(2),
        beacon(3, site="nobody"),
        get("/healthz", "Connection: close"),
    )

    assert statuses(received) == [200, 404, 200, 403, 200]
    assert views(collector) == 2


def test_answer_waits_for_the_one_before(collector):
    with RawConnection(collector.port) as connection:
        with nothing_committed(collector):
            connection.send(beacon(1) + beacon(2, site="nobody") + get("/embed/none.js"))
            wait_until_taken(collector)
            assert not _received(connection)
        received = connection.read_until(b" 404 ")

    assert statuses(received) == [200, 403, 404]


def test_many_beacons_that_wait_end_the_connection(collector):
    with RawConnection(collector.port) as connection:
        with nothing_committed(collector):
            connection.send(b"".join(map(beacon, range(1, MOST_PIPELINED + 4))))
            wait_until_taken(collector)
        received = connection.read_to_end()

    assert statuses(received) == [200], "the one that was being answered"
    assert views(collector) == 1


def test_many_that_are_answered_at_once_end_the_connection_too(collector):
    with RawConnection(collector.port) as connection:
        sent = connection.send(beacon(1, site="nobody") * (MOST_PIPELINED + 3))
        received = sent.read_to_end()

    assert statuses(received) == [403] * (MOST_PIPELINED + 1)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        pytest.param(beacon(1, "Connection: close"), 200, id="stored"),
        pytest.param(beacon(1, "Connection: close", site="nobody"), 403, id="refused"),
        pytest.param(beacon(1, version="1.0"), 200, id="HTTP/1.0"),
        pytest.param(beacon(1, "Connection: keep-alive", version="1.0"), 200, id="1.0 that asks"),
        pytest.param(beacon(1, "Connection: close").replace(b"POST", b"PUT", 1), 405, id="PUT"),
    ],
)
def test_last_answer_says_so_and_nothing_after_it_is_read(collector, last, expected):
    received = answers(collector, last, beacon(2))

    assert statuses(received) == [expected]
    assert received.partition(b"\r\n\r\n")[0].count(b"\r\nconnection: close") == 1
    assert views(collector) == (expected == 200)


def test_connection_stays_open_after_an_answer(collector):
    with RawConnection(collector.port) as connection:
        for number in range(1, 4):
            connection.send(beacon(number))
            wait_for(lambda n=number: _received(connection).count(OK) == n)

    assert b"connection: close" not in connection.received


def _received(connection: RawConnection) -> bytes:
    connection.look_whether_over()
    return connection.received


def test_every_answer_has_its_date(collector):
    received = answers(collector, beacon(1), beacon(2, "Connection: close", site="nobody"))

    assert received.count(b"\r\ndate: ") == 2


def test_head_is_answered_without_a_body(collector):
    request = b"HEAD /v1/beacon HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    head, _, body = answers(collector, request).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 405 ")
    assert b"\r\ncontent-length: " in head
    assert body == b""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/v1/beacon", 200),
        ("/our%20monitor/v1/beacon", 200),
        ("/our%20monitor/v1/beacon?a=b", 200),
        ("/v1/%62eacon", 200),
        ("http://x/v1/beacon", 200),
        ("/v1/beacon/", 404),
        ("/v1/beacons", 404),
        ("//v1/beacon", 404),
        ("/other/v1/beacon", 404),
        ("/our%20monitor/our%20monitor/v1/beacon", 404),
    ],
)
def test_path_is_the_beacons_at_the_root_and_below_the_public_path(
    run_collector, sqlite_url, target, expected
):
    collector = run_collector(sqlite_url, public_url="https://shop.example/our%20monitor")

    received = answers(collector, beacon(1, "Connection: close", target=target))

    assert statuses(received) == [expected]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["POST /v1/beacon HTTP/1.1", "Content-Length: 99999", "Expect: 100-continue"], [413]),
        (["PUT /v1/beacon HTTP/1.1", "Content-Length: 9", "Expect: 100-continue"], [405]),
    ],
)
def test_body_of_a_refused_head_is_not_asked_for(shared, lines, expected):
    request = "\r\n".join([lines[0], "Host: x", *lines[1:], "", ""]).encode()
    with RawConnection(shared.port) as connection:
        received = connection.send(request).read_until(b"\r\n\r\n")

    assert statuses(received) == expected


def test_body_that_is_asked_for_is_stored(collector):
    head, _, body = beacon(1, "Expect: 100-continue", "Connection: close").partition(b"\r\n\r\n")
    with RawConnection(collector.port) as connection:
        connection.send(head + b"\r\n\r\n").read_until(b"\r\n\r\n")
        received = connection.send(body).read_to_end()

    assert statuses(received) == [100, 200]


def test_body_that_becomes_too_large_is_refused_before_it_ends(shared):
    head = b"POST /v1/beacon HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with RawConnection(shared.port) as connection:
        received = connection.send(head + b"4001\r\n" + b" " * 0x4001).read_to_end()

    assert statuses(received) == [413]
    assert b"x-drop-reason: too_large" in received


def test_body_in_many_pieces_is_one_beacon(collector):
    head, _, body = beacon(1, "Connection: close").partition(b"\r\n\r\n")
    with RawConnection(collector.port) as connection:
        connection.send(head + b"\r\n\r\n")
        for start in range(0, len(body), 10):
            connection.send(body[start : start + 10])
            sleep(0.002)
        received = connection.read_to_end()

    assert statuses(received) == [200]


def test_hit_of_a_client_that_has_left_is_committed_and_others_are_answered(collector):
    with RawConnection(collector.port) as leaving, RawConnection(collector.port) as staying:
        with nothing_committed(collector):
            leaving.send(beacon(1))
            wait_until_taken(collector)
            leaving.close()
            staying.send(beacon(2))
            wait_for(lambda: len(collector.app.connections) == 1)
        assert statuses(staying.read_until(OK)) == [200]

    wait_for(lambda: views(collector) == 2)


@pytest.fixture
def no_collections() -> Iterator[None]:
    """Python's collector of garbage does nothing; request it after the collector."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("cut", [0, 5], ids=["whole", "without its end"])
def test_request_leaves_nothing_behind_when_its_connection_ends(collector, no_collections, cut):
    request, before = beacon(1), len(requests_in_memory())
    for _ in range(10):
        with RawConnection(collector.port) as connection:
            connection.send(request[: len(request) - cut])
            if cut:
                wait_for(lambda: len(requests_in_memory()) > before)
            else:
                connection.read_until(OK)

    wait_for(lambda: len(requests_in_memory()) <= before + 1)  # of the write queue's last batch


def requests_in_memory() -> list[DirectRequest]:
    """Those that are kept by anything."""
    return [each for each in gc.get_objects() if isinstance(each, DirectRequest)]


def test_refused_beacons_whose_answers_nobody_reads_wait_for_that(
    monkeypatch, run_collector, sqlite_url
):
    monkeypatch.setattr("collector.http.unread_answers.READ_WITHIN", 0.5)
    collector = run_collector(sqlite_url)
    most = 0

    def watch(*_: object) -> None:
        nonlocal most
        most = max(most, *(each.unread for each in collector.app.connections._block_of), 0)

    def is_given_up() -> bool:
        with UnreadConnection(collector.port) as connection:
            while not connection.asks_in_vain(beacon(1, site="nobody")):
                watch()
        return True

    assert is_given_up()
    assert most < 1_000_000, "bytes that waited for a peer that does not read"


def test_fault_in_a_step_is_a_400_of_its_own_beacon(collector, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(collector.app.beacon.offers, "pace", fail)
    with caplog.at_level(logging.ERROR, "collector.beacon"):
        received = answers(collector, beacon(1), beacon(2, "Connection: close", site="nobody"))

    assert statuses(received) == [400, 403]
    assert b"x-drop-reason: fault" in received
    assert "beacon_failed fault=KeyError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "lack", [ModuleNotFoundError("ua_parser"), FileNotFoundError("sources.csv"), MemoryError()]
)
def test_what_the_machine_lacks_has_the_beacon_come_again(collector, monkeypatch, caplog, lack):
    def fail(*_: object) -> None:
        raise lack

    with caplog.at_level(logging.ERROR, "collector.beacon"):
        with monkeypatch.context() as at_first:
            at_first.setattr("collector.beacon.route.make_hit", fail)
            before_the_commit = answers(collector, beacon(1, "Connection: close"))
        monkeypatch.setattr(collector.app.beacon.offers, "pace", fail)
        after_it = answers(collector, beacon(1, "Connection: close"))

    assert statuses(before_the_commit) == [503]
    assert b"x-drop-reason: not_loaded" in before_the_commit
    assert statuses(after_it) == [400]
    assert caplog.text.count("beacon_failed fault=") == 2


def test_visit_without_an_id_waits_for_the_salts_of_a_new_day(collector):
    collector.clock.advance(24 * 3_600_000)
    request = beacon(1, "Connection: close").replace(b'"a1b2c3d4e5f6g7h8"', b'""' + b" " * 16)

    assert statuses(answers(collector, request)) == [200]


def test_beacon_that_is_not_committed_in_time_is_refused_at_a_stop(collector, monkeypatch):
    monkeypatch.setattr("collector.writing.write_queue.ANSWER_WITHIN", 60)
    with RawConnection(collector.port) as connection, nothing_committed(collector):
        connection.send(beacon(1))
        wait_until_taken(collector)
        collector.begin_to_stop()
        received = connection.read_to_end()

    assert statuses(received) == [503]
    assert b"x-drop-reason: not_committed" in received
    assert b"connection: close" in received


def test_beacon_that_has_arrived_is_answered_at_a_stop(collector):
    with RawConnection(collector.port) as connection:
        with nothing_committed(collector):
            connection.send(beacon(1) + beacon(2))
            wait_until_taken(collector)
            collector.begin_to_stop()
            wait_for(lambda: takes_no_more(collector))
        received = connection.read_to_end()

    assert statuses(received) == [200], "and what it has not begun with comes again"
