"""A request with a head that is known is answered as by the parser, and only where it stands between two others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from collector.http import known_heads
from collector.http.known_heads import LONGEST_KNOWN, MOST_KNOWN, KnownHeads
from tests.helpers.event_loop import run
from tests.helpers.raw_connection import RawConnection, get
from tests.helpers.running_collector import CHROME, ORIGIN, RunningCollector, view

HEAD = b"POST /v1/beacon HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"


def beacon(number: int, *headers: str, agent: str = CHROME) -> bytes:
    """A page view; those of numbers with one digit have the same head."""
    body = {"v": 1, "k": "shop1", "s": "a1b2c3d4e5f6g7h8", "t": "tab00001", "b": [view(number)]}
    text = json.dumps(body)
    lines = ["Host: x", f"Origin: {ORIGIN}", f"User-Agent: {agent}", *headers]
    request = ["POST /v1/beacon HTTP/1.1", *lines, f"Content-Length: {len(text)}", "", text]
    return "\r\n".join(request).encode()


def known(collector: RunningCollector) -> int:
    """How many heads are known."""
    return len(collector.app.known_heads)


def answer(connection: RawConnection, *pieces: bytes) -> bytes:
    """The next answer, once these pieces of a request were sent one after the other."""
    connection.received = b""
    for piece in pieces[:-1]:
        connection.send(piece)
        assert not connection.look_whether_over()
    return connection.send(pieces[-1]).read_until(b"\r\n\r\n")


@pytest.fixture
def connection(collector):
    """A connection to the collector, which knows the head of such beacons."""
    with RawConnection(collector.port) as connection:
        assert b" 200 " in answer(connection, beacon(1))
        assert known(collector) == 1
        yield connection


def test_beacon_with_a_known_head_is_stored_with_what_its_head_says(collector, connection):
    received = answer(connection, beacon(2))

    assert received.startswith(b"HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\n")
    assert b"\r\ndate: " in received
    assert known(collector) == 1
    assert collector.row("SELECT count(*) FROM page_view")[0] == 2
    assert collector.row("SELECT browser FROM visit")[0] == "Chrome"


def test_body_behind_a_known_head_is_read_as_any(collector, connection):
    request = beacon(2)

    assert b"x-drop-reason: malformed" in answer(connection, request.replace(b'"v": 1', b'"v": 7'))
    assert b" 403 " in answer(connection, request.replace(b"shop1", b"shop9"))
    assert b" 200 " in answer(connection, request)


def test_known_head_whose_body_comes_later_is_the_parsers(collector, connection):
    head, end, body = beacon(2).partition(b"\r\n\r\n")

    assert b" 200 " in answer(connection, head + end, body[:9], body[9:])
    assert b" 200 " in answer(connection, (head + end + body)[:40], (head + end + body)[40:])
    assert collector.row("SELECT count(*) FROM page_view")[0] == 2


def test_known_head_after_a_begun_request_is_its_body(collector, connection):
    request = beacon(2)
    other = (
        f"POST /v1/beacon HTTP/1.1\r\nHost: x\r\nContent-Length: {len(request)}\r\n\r\n".encode()
    )

    assert b"x-drop-reason: malformed" in answer(connection, other, request)
    assert collector.row("SELECT count(*) FROM page_view")[0] == 1


def test_known_head_behind_a_line_feed_is_the_parsers(collector, connection):
    assert b" 200 " in answer(connection, b"\r\n", beacon(2))


def test_requests_behind_a_known_one_are_answered_in_their_order(collector, connection):
    connection.received = b""
    connection.send(beacon(2) + get("/embed/none.js", "Connection: close")).read_to_end()

    assert connection.received.index(b" 200 ") < connection.received.index(b" 404 ")


@pytest.mark.parametrize(
    "request_sent",
    [
        pytest.param(beacon(1, "Connection: close"), id="the last one"),
        pytest.param(beacon(1).replace(b"HTTP/1.1", b"HTTP/1.0"), id="HTTP/1.0"),
        pytest.param(beacon(1, "Expect: 100-continue"), id="asks for its body"),
        pytest.param(beacon(1, "Upgrade: h2c", "Connection: Upgrade"), id="upgrade"),
        pytest.param(beacon(1, f"X-Long: {'x' * LONGEST_KNOWN}"), id="long"),
        pytest.param(get("/v1/beacon"), id="no length"),
        pytest.param(get("/healthz"), id="not direct"),
        pytest.param(beacon(1) * 2, id="two at once"),
        pytest.param(
            b"POST /v1/beacon HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            id="chunked",
        ),
    ],
)
def test_head_that_does_not_say_how_its_request_ends_is_never_known(shared, request_sent):
    before = known(shared)
    with RawConnection(shared.port) as connection:
        answer(connection, request_sent)

        assert known(shared) == before


def test_refused_head_is_known_and_refused_again(shared):
    request = beacon(1, "Content-Encoding: gzip")
    with RawConnection(shared.port) as connection:
        for _ in range(3):
            assert b"x-drop-reason: encoded" in answer(connection, request)


@pytest.fixture
def heads() -> Iterator[KnownHeads]:
    """Heads of an event loop."""
    found = KnownHeads()
    run(_with_one(found))
    yield found


async def _with_one(heads: KnownHeads) -> None:
    heads.learn(HEAD + b"{}", 2, "POST", None)


def test_as_many_are_remembered_as_there_is_room_for(heads):
    for number in range(MOST_KNOWN + 1):
        assert len(heads) <= MOST_KNOWN
        heads.learn(HEAD.replace(b"x", b"%d" % number) + b"{}", 2, "POST", number)

    found = heads.find(HEAD.replace(b"x", b"%d" % MOST_KNOWN) + b"[]")
    assert found is not None
    assert found.head == MOST_KNOWN


@pytest.mark.parametrize("data", [b"", HEAD, HEAD + b"{", HEAD + b"{}{", HEAD[:-2], b"\r\n" + HEAD])
def test_only_all_of_a_request_is_found(heads, data):
    assert heads.find(data) is None
    assert heads.find(HEAD + b"{}") is not None


@pytest.mark.parametrize("length", [0, 1, 3, 30])
def test_head_is_not_learnt_where_the_body_begins_elsewhere(heads, length):
    heads.learn(HEAD.replace(b"x", b"y") + b"{}", length, "POST", None)

    assert len(heads) == 1


def test_heads_are_forgotten_after_a_while(monkeypatch):
    monkeypatch.setattr(known_heads, "KEPT_FOR", 0.01)

    async def learn_and_wait() -> None:
        heads = KnownHeads()
        await _with_one(heads)
        assert len(heads) == 1
        while len(heads):
            await asyncio.sleep(0.005)
        await _with_one(heads)
        assert len(heads) == 1

    run(asyncio.wait_for(learn_and_wait(), 10))
