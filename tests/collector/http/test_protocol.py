"""What the collector takes for a request, and where it ends a connection."""

from __future__ import annotations

from ipaddress import ip_network
from time import sleep

import pytest

from collector.http.protocol import MOST_PIPELINED
from collector.http.request_size import LONGEST_TARGET, MOST_HEADERS, MOST_OF_HEAD, PIECE
from core.settings import RateLimit
from tests.helpers.raw_connection import RawConnection, UnreadConnection, get
from tests.helpers.running_collector import wait_for

CHUNKED = b"POST /v1/beacon HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"


def post(*headers: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    head = [b"POST /v1/beacon HTTP/" + version, b"Host: x", *headers, b"", b""]
    return b"\r\n".join(head) + body


def status(collector, request: bytes) -> int:
    with RawConnection(collector.port) as connection:
        received = connection.send(request).read_until(b"\r\n\r\n")
    return int(received.split(b" ", 2)[1])


def refused(collector) -> dict[str, float]:
    """The reasons that the metrics count, and how often."""
    lines = [
        line
        for line in collector.http.get("/metrics").text.splitlines()
        if line.startswith("monitor_refused_connections_total{")
    ]
    return {line.split('"')[1]: float(line.split()[-1]) for line in lines}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(get("/healthz", "Host: y"), 400, id="two hosts"),
        pytest.param(get("/healthz", "Host: x"), 400, id="the same host twice"),
        pytest.param(b"GET /healthz HTTP/1.0\r\n\r\n", 200, id="HTTP/1.0 without a host"),
        pytest.param(get("/healthz", "Host: y", version="1.0"), 400, id="HTTP/1.0 with two"),
        pytest.param(get("/healthz", version="0.9"), 400, id="HTTP/0.9"),
        pytest.param(b"GET /healthz\r\n\r\n", 400, id="HTTP/0.9 without headers"),
        pytest.param(get("/healthz", version="2.0"), 400, id="HTTP/2.0 in words"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, id="HTTP/2 by prior knowledge"),
        pytest.param(
            post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
            400,
            id="a length and chunks",
        ),
        pytest.param(
            post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"),
            400,
            id="chunks and a length",
        ),
        pytest.param(
            post(b"Content-Length: 2", b"Content-Length: 3", body=b"{}}"), 400, id="two lengths"
        ),
        pytest.param(
            post(b"Content-Length: 2", b"Content-Length: 2", body=b"{}"), 400, id="a length twice"
        ),
        pytest.param(post(b"Content-Length: 2, 2", body=b"{}"), 400, id="a list of lengths"),
        pytest.param(post(b"Content-Length: +2", body=b"{}"), 400, id="a length with a sign"),
        pytest.param(post(b"Content-Length: " + b"9" * 30), 400, id="a length beyond all numbers"),
        pytest.param(
            post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), 400, id="gzip in chunks"
        ),
        pytest.param(
            post(b"Transfer-Encoding: chunked", version=b"1.0", body=b"0\r\n\r\n"),
            400,
            id="chunks in HTTP/1.0",
        ),
        pytest.param(b"GET /healthz HTTP/1.1\nHost: x\n\n", 400, id="bare line feeds"),
        pytest.param(
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\n\r\n", 400, id="one bare line feed"
        ),
        pytest.param(
            b"GET /healthz HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", 400, id="a bare carriage return"
        ),
        pytest.param(get("/healthz", "A: b", " c"), 400, id="a folded header"),
        pytest.param(get("/healthz", "A : b"), 400, id="a space before the colon"),
        pytest.param(get("/healthz", "A: b\0c"), 400, id="a NUL in a header"),
        pytest.param(get("http://x/healthz"), 200, id="the whole address"),
        pytest.param(get("HTTP://X/healthz?a"), 200, id="the whole address in capitals"),
        pytest.param(get("http://y/healthz"), 400, id="an address of another host"),
        pytest.param(get("ftp://x/healthz"), 400, id="an address of another kind"),
        pytest.param(get("healthz"), 400, id="no slash"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="an asterisk"),
        pytest.param(b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="a tunnel"),
        pytest.param(get("/healthz", "Expect: 100-continue"), 200, id="nothing to go on with"),
    ],
)
def test_request_is_answered_or_refused(shared, request_, expected):
    assert status(shared, request_) == expected


def test_chunk_with_a_bare_line_feed_is_refused(shared):
    assert status(shared, CHUNKED + b"\r\n2\n{}\r\n0\r\n\r\n") == 400


def head_of(size: int) -> bytes:
    """A request whose head is as large as that."""
    request = get("/healthz", "A: ")
    return request.replace(b"A: ", b"A: " + b"a" * (size - len(request)))


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param(head_of(MOST_OF_HEAD), 200, id="a head at the limit"),
        pytest.param(head_of(MOST_OF_HEAD + 2 * PIECE), 431, id="a head over the limit"),
        pytest.param(get("/healthz", *["A: b"] * (MOST_HEADERS - 1)), 200, id="many headers"),
        pytest.param(get("/healthz", *["A: b"] * MOST_HEADERS), 431, id="too many headers"),
        pytest.param(get("/healthz?" + "a" * (LONGEST_TARGET - 9)), 200, id="a long address"),
        pytest.param(get("/healthz?" + "a" * (LONGEST_TARGET - 8)), 414, id="too long an address"),
        pytest.param(b"\r\n" * MOST_OF_HEAD, 431, id="empty lines"),
        pytest.param(
            CHUNKED + b"\r\n2\r\n{}\r\n0\r\n" + b"A: b\r\n" * 40_000, 413, id="a flood of trailers"
        ),
    ],
)
def test_head_is_bounded(shared, request_, expected):
    assert status(shared, request_) == expected


def test_refusal_may_be_read_by_any_page_and_ends_the_connection(shared):
    with RawConnection(shared.port) as connection:
        received = connection.send(get("/healthz?" + "a" * 100_000)).read_to_end()

    head, _, body = received.partition(b"\r\n\r\n")
    assert b"access-control-allow-origin: *" in head
    assert b"connection: close" in head
    assert body == b"the address is too long\n"


def test_refusals_are_counted_by_reason(collector):
    status(collector, b"GET /healthz HTTP/1.1\r\n\r\n")
    status(collector, b"nonsense\r\n\r\n")
    status(collector, b"nonsense\r\n\r\n")

    assert refused(collector) == {"host": 1, "malformed": 2}


def test_trailer_is_not_taken_for_a_header(run_collector, sqlite_url):
    collector = run_collector(
        sqlite_url, rate_limit=RateLimit(1, 1), trusted_proxies=(ip_network("127.0.0.1/32"),)
    )

    answers = [
        status(
            collector,
            CHUNKED
            + b"X-Forwarded-For: 198.51.100.1\r\n\r\n2\r\n{}\r\n0\r\n"
            + f"X-Forwarded-For: 203.0.113.{number}\r\n\r\n".encode(),
        )
        for number in (1, 2)
    ]

    assert answers == [400, 429], "malformed, and then one of the same address too many"


def test_body_is_asked_for_where_the_peer_waits_for_that(shared):
    with RawConnection(shared.port) as connection:
        connection.send(post(b"Content-Length: 2", b"Expect: 100-continue"))
        assert connection.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        assert b"HTTP/1.1 400 " in connection.send(b"{}").read_until(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_other_protocol_is_ignored_and_what_follows_is_not_read(shared, protocol):
    request = get("/healthz", "Connection: Upgrade", f"Upgrade: {protocol}")
    with RawConnection(shared.port) as connection:
        received = connection.send(request + get("/healthz")).read_to_end()

    assert received.count(b"HTTP/1.1 ") == received.count(b"HTTP/1.1 200 ") == 1


def test_few_requests_may_wait_for_the_one_before(shared):
    paths = ["/healthz"] * MOST_PIPELINED + ["/embed/none.js"]
    with RawConnection(shared.port) as connection:
        received = connection.send(b"".join(map(get, paths))).read_until(b" 404 ")

    assert received.count(b"HTTP/1.1 200 ") == MOST_PIPELINED


def test_many_requests_that_wait_end_the_connection(collector):
    with RawConnection(collector.port) as connection:
        received = connection.send(get("/healthz") * (MOST_PIPELINED + 2)).read_to_end()

    assert received.count(b"HTTP/1.1 ") == 1, "the one that was being answered"
    assert refused(collector) == {"pipelined": 1}


def test_fault_in_a_later_request_does_not_answer_the_one_before(shared):
    with RawConnection(shared.port) as connection:
        received = connection.send(get("/healthz") + b"nonsense\r\n\r\n").read_to_end()

    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.fixture
def hasty(monkeypatch, run_collector, sqlite_url):
    """A collector that waits for a fraction of a second where others wait for ten."""
    for name in ("HEAD_WITHIN", "BODY_WITHIN"):
        monkeypatch.setattr(f"collector.http.connections.{name}", 0.3)
    return run_collector(sqlite_url)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost:", "slow_head"),
        (b"\r\n", "slow_head"),
        (post(b"Content-Length: 2", body=b"{"), "slow_body"),
        (CHUNKED + b"\r\n", "slow_body"),
    ],
)
def test_request_that_does_not_go_on_is_refused(hasty, request_, reason):
    with RawConnection(hasty.port) as connection:
        assert connection.send(request_).read_to_end().startswith(b"HTTP/1.1 408 ")

    assert refused(hasty) == {reason: 1}


def test_head_that_goes_on_byte_by_byte_is_refused_as_well(hasty):
    with RawConnection(hasty.port, timeout=0.05) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nA: ")

        def is_over() -> bool:
            connection.send(b"a")
            return connection.look_whether_over()

        wait_for(is_over)


def test_body_that_no_route_reads_ends_the_connection(hasty):
    request = get("/healthz", "Content-Length: 9")
    with RawConnection(hasty.port) as connection:
        received = connection.send(request).read_to_end()

    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.count(b"HTTP/1.1 ") == 1
    assert refused(hasty) == {"slow_body": 1}


def test_connection_on_which_nothing_comes_ends_without_a_word(hasty):
    with RawConnection(hasty.port) as connection:
        assert connection.read_to_end() == b""


def test_pause_between_two_requests_is_no_slow_head(hasty):
    with RawConnection(hasty.port) as idle, RawConnection(hasty.port) as silent:
        idle.send(get("/healthz")).read_until(b"ok\n")
        silent.read_to_end()

        assert not idle.look_whether_over()
        assert b" 404 " in idle.send(get("/embed/none.js")).read_until(b" 404 ")


def test_answers_that_are_not_read_end_the_connection(monkeypatch, run_collector, sqlite_url):
    monkeypatch.setattr("collector.http.unread_answers.READ_WITHIN", 0.5)
    collector = run_collector(sqlite_url)

    def is_given_up() -> bool:
        """A busy machine may take the requests for pipelined ones: then it is tried again."""
        with UnreadConnection(collector.port) as connection:
            while not connection.asks_in_vain(get("/embed/visitor-monitor-chat.js")):
                sleep(0.02)
        return "unread" in refused(collector)

    wait_for(is_given_up, 60)


def test_connection_that_is_idle_for_long_is_closed(monkeypatch, run_collector, sqlite_url):
    monkeypatch.setattr("collector.http.connections.KEEP_ALIVE", 0.3)
    collector = run_collector(sqlite_url)
    with RawConnection(collector.port) as connection:
        received = connection.send(get("/healthz")).read_to_end()

    assert received.count(b"HTTP/1.1 ") == 1
    assert refused(collector) == {}
