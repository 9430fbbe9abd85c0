"""What strangers send costs them their own connections: memory stays, and others are answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.helpers.collector_process import CollectorProcess
from tests.helpers.honest_client import honest_client
from tests.helpers.raw_connection import RawConnection, UnreadConnection, get
from tests.helpers.running_collector import wait_for

pytestmark = pytest.mark.long

MEBIBYTE = 1 << 20
GROWS_BY = 60 * MEBIBYTE
"""What a collector may hold more during an attack: 800 connections, and what Python keeps. Unbounded, each of
these attacks takes hundreds."""

CLOSED_WITHIN = 40
"""Seconds, on a busy machine, in which what may last for ten is over."""


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    process = CollectorProcess(tmp_path_factory.mktemp("floods"), ["shop1"])
    process.start()
    yield process
    process.stop()


@contextmanager
def others_unharmed(process: CollectorProcess) -> Iterator[None]:
    """What happens in the context costs no memory, and everybody else is answered meanwhile."""
    before = process.resident
    with honest_client(process.port, "shop1") as client:
        wait_for(lambda: client.answers[200] > 5)
        yield
        answered = client.answers[200]
        wait_for(lambda: client.answers[200] > answered + 5)
    assert set(client.answers) == {200}, client.answers
    assert process.resident - before < GROWS_BY
    assert process.is_running


def opened(stack: ExitStack, process: CollectorProcess, number: int) -> list[RawConnection]:
    return [stack.enter_context(RawConnection(process.port)) for _ in range(number)]


def until_closed(connections: list[RawConnection]) -> None:
    wait_for(lambda: all(each.look_whether_over() for each in connections), CLOSED_WITHIN)


def test_requests_whose_answers_nobody_reads_are_not_hoarded(process):
    with others_unharmed(process), ExitStack() as stack:
        for connection in opened(stack, process, 4):
            connection.send(get("/healthz") * (6 * MEBIBYTE // 40))


def test_header_without_an_end_makes_nobody_wait(process):
    with others_unharmed(process), RawConnection(process.port) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"a" * (32 * MEBIBYTE))
        until_closed([connection])


def test_trailers_without_an_end_are_not_hoarded(process):
    with others_unharmed(process), RawConnection(process.port) as connection:
        connection.send(
            b"POST /v1/beacon HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.send(b"2\r\n{}\r\n0\r\n" + b"A: b\r\n" * (16 * MEBIBYTE // 6))
        until_closed([connection])


@pytest.mark.parametrize(
    "half",
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost:", id="head"),
        pytest.param(
            b"POST /v1/beacon HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{", id="body"
        ),
        pytest.param(get("/metrics", "Content-Length: 99"), id="body-of-metrics"),
        pytest.param(get("/demo/", "Content-Length: 99"), id="body-of-a-file"),
    ],
)
def test_half_of_a_request_is_not_waited_for(process, half):
    with others_unharmed(process), ExitStack() as stack:
        connections = opened(stack, process, 200)
        for connection in connections:
            connection.send(half)
        until_closed(connections)


@pytest.mark.parametrize("path", ["/demo/demo.css", "/embed/visitor-monitor-chat.js"])
def test_answers_that_nobody_reads_end_their_connection(process, path):
    with others_unharmed(process), ExitStack() as stack:
        hungry = [stack.enter_context(UnreadConnection(process.port)) for _ in range(20)]

        def are_all_over() -> bool:
            ended = [each.asks_in_vain(get(path)) for each in hungry]  # each is asked
            return all(ended)

        wait_for(are_all_over, CLOSED_WITHIN)


def test_flood_of_connections_shuts_nobody_out(tmp_path):
    process = CollectorProcess(tmp_path, ["shop1"])
    process.start(files=1_024)
    try:
        with others_unharmed(process), ExitStack() as stack:
            opened(stack, process, 2_000)
        assert "Too many open files" not in process.log.read_text()
    finally:
        process.stop()
