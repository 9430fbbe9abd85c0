"""The load's client: whom it sends when."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from benchmarks.load import LoadResult, send

CONNECTIONS = 8
PAUSE = 2.0
"""Seconds: far more than it takes to connect, on however busy a machine."""


class NotingServer(ThreadingHTTPServer):
    """Answers 204; arrivals: of each connection when its requests came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), NotingHandler)
        self.arrivals: dict[Any, list[float]] = {}


class NotingHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: NotingServer  # type: ignore[assignment]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.arrivals.setdefault(self.client_address, []).append(time.perf_counter())
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[NotingServer]:
    with NotingServer() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def load(server: NotingServer, seconds: float, pause: float) -> LoadResult:
    """On a thread of its own, as an open browser's driver keeps the loop of this one running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(
            send, server.server_address[1], seconds, CONNECTIONS, pause=pause
        ).result()


def test_connections_with_a_pause_take_turns(server: NotingServer) -> None:
    load(server, PAUSE, PAUSE)
    first = [arrivals[0] for arrivals in server.arrivals.values()]
    assert len(first) == CONNECTIONS
    assert max(first) - min(first) > PAUSE / 2


def test_connections_without_a_pause_send_as_soon_as_they_are_answered(
    server: NotingServer,
) -> None:
    result = load(server, 1.0, 0.0)
    assert len(result.latencies) == sum(map(len, server.arrivals.values())) > CONNECTIONS
    assert result.refused == 0
