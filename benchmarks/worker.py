"""What a worker costs for each beacon: `python benchmarks/worker.py`, see benchmarks/README.md.

A worker as it is, on the same thread as its clients and a writer that accepts every hit at once and stores nothing. What
those two take is not counted. A bare 204 on the same uvicorn takes the same requests in turns with it.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import thread_time
from typing import Any, cast

import click
import uvicorn
import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.bare_204 import app as bare_app
from benchmarks.figure import Figure, ratio_at_most
from benchmarks.figure_table import print_figures
from benchmarks.load import beacon_requests
from collector.app import build_app
from collector.control import hand_link, hear
from collector.http.connections import KEEP_ALIVE
from collector.metrics import process_numbers
from collector.server import server_config
from collector.service import GARBAGE_AFTER
from collector.worker_slot import WorkerSlot
from collector.writing.codec import decode_hits, encode
from collector.writing.frames import FrameKind, FrameReader, frame
from core.database import open_database, writing
from core.schema import upgrade_schema
from core.settings import RateLimit, Settings
from core.sites import add_site
from core.visits.hit import Accepted

MOST_CPU = 1.6
"""Times the processor time of the bare handler: the writer takes about as much, and both together at most 3.6 times."""

BROWSER_HEADERS = (
    b"Connection: keep-alive\r\n"
    b'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"\r\n'
    b"sec-ch-ua-mobile: ?0\r\n"
    b'sec-ch-ua-platform: "Windows"\r\n'
    b"Accept: */*\r\n"
    b"Sec-Fetch-Site: cross-site\r\n"
    b"Sec-Fetch-Mode: cors\r\n"
    b"Sec-Fetch-Dest: empty\r\n"
    b"Referer: https://shop.example/\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\n"
    b"Accept-Language: en-US,en;q=0.9,de;q=0.8\r\n"
)
"""What Chromium sends besides what wrk does."""

WARM_UP = 20
"""Turns before the figures: caches are full, and Python has specialised its code."""

_AGENT = b"\r\nUser-Agent: "
_ANSWERS = (b"HTTP/1.1 200 ", b"HTTP/1.1 204 ")
_LONGEST_ANSWER = 65_536


@click.command()
@click.option("--rounds", default=5, show_default=True, help="Pairs of runs, one of each server.")
@click.option("--turns", default=60, show_default=True, help="Requests of each connection.")
@click.option("--connections", default=128, show_default=True)
def main(**options: Any) -> None:
    """Print the microseconds of CPU of each request, with the headers that wrk sends and with a browser's."""
    print_figures(lambda: measure(**options))


def measure(rounds: int, turns: int, connections: int) -> list[Figure]:
    """CPU of a beacon in the worker, beside that of a bare 204."""
    return uvloop.run(_measure(rounds, turns, connections))


async def _measure(rounds: int, turns: int, connections: int) -> list[Figure]:
    figures: list[Figure] = []
    bare_config = uvicorn.Config(
        bare_app,
        http="httptools",
        access_log=False,
        log_config=None,
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE,
    )
    with tempfile.TemporaryDirectory() as folder:
        async with _running(bare_config, connections) as bare, _worker(folder, connections) as own:
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GARBAGE_AFTER)  # as the collector does at its start
            for name, headers in (("", b""), (" with a browser's headers", BROWSER_HEADERS)):
                for load in (bare, own):
                    await load.run(WARM_UP, headers)
                pairs = [
                    (await bare.run(turns, headers), await own.run(turns, headers))
                    for _ in range(rounds)
                ]
                figures.append(
                    Figure(
                        f"CPU of the worker for a beacon{name}",
                        "us",
                        [ours for _, ours in pairs],
                        [plain for plain, _ in pairs],
                        ratio_at_most(MOST_CPU),
                    )
                )
    return figures


class _Load:
    """So many connections to a server on this event loop. uncounted: seconds of CPU that others took meanwhile."""

    def __init__(self, server: uvicorn.Server, port: int, connections: int) -> None:
        self.uncounted = 0.0
        self._server = server
        self._requests = beacon_requests(str(port))
        self._sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]

    async def run(self, turns: int, headers: bytes) -> float:
        """Send one request on each connection, and again once all are answered: microseconds of CPU for each."""
        state, sockets = self._server.server_state, self._sockets
        seconds = 0.0
        for _ in range(turns):
            for each, request in zip(sockets, self._requests, strict=False):
                each.sendall(request.replace(_AGENT, b"\r\n" + headers + _AGENT[2:]))
            awaited = state.total_requests + len(sockets)
            began, self.uncounted = thread_time(), 0.0
            while state.total_requests < awaited:
                if len(state.connections) < len(sockets):
                    raise SystemExit("a connection was closed: fewer turns take less time")
                await asyncio.sleep(0)
            seconds += thread_time() - began - self.uncounted
            for each in sockets:
                if not each.recv(_LONGEST_ANSWER).startswith(_ANSWERS):
                    raise SystemExit("a request was refused")
        return seconds / (turns * len(sockets)) * 1e6

    def close(self) -> None:
        for each in self._sockets:
            each.close()


@asynccontextmanager
async def _running(config: uvicorn.Config, connections: int) -> AsyncGenerator[_Load]:
    """A server on this event loop, and a load for it."""
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    listener = socket.create_server(("127.0.0.1", 0), backlog=connections)
    await server.startup([listener])
    load = _Load(server, listener.getsockname()[1], connections)
    while len(server.server_state.connections) < connections:
        await asyncio.sleep(0)
    try:
        yield load
    finally:
        load.close()
        await server.shutdown([listener])


@asynccontextmanager
async def _worker(folder: str, connections: int) -> AsyncGenerator[_Load]:
    settings = Settings(
        database_url=f"sqlite:///{Path(folder) / 'monitor.db'}",
        rate_limit=RateLimit(900_000, 900_000),
    )
    engine = open_database(settings.database_url)
    upgrade_schema(engine)
    with writing(engine) as db:
        add_site(db, name="demo", key="demo", now=datetime.now(UTC))
    control, parent = socket.socketpair()
    writer_control, writer_parent = socket.socketpair()
    with control, parent, writer_control, writer_parent:
        hand_link(parent, writer_parent)
        writer_end = hear(writer_control).link
        app = build_app(settings, engine, WorkerSlot(process_numbers(2), 1, control))
        writer = _StubWriter()
        await asyncio.get_running_loop().create_unix_connection(lambda: writer, sock=writer_end)
        async with _running(server_config(app), connections) as load:
            writer.load = load
            yield load
    engine.dispose()


class _StubWriter(asyncio.Protocol):
    """Accepts every hit at once. load: is told what that takes."""

    load: _Load | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._frames, self._hits = FrameReader(), 0
        self._transport.write(frame(FrameKind.STATE, encode(None)))

    def data_received(self, data: bytes) -> None:
        began = thread_time()
        for kind, content in self._frames.read(data):
            if kind is FrameKind.HITS:
                self._accept(content)
        if self.load:
            self.load.uncounted += thread_time() - began

    def _accept(self, content: bytes) -> None:
        hits = decode_hits(content)
        numbers = [self._hits + number for number in range(1, 1 + len(hits))]
        self._hits += len(hits)
        results = [
            Accepted(hit.visit_ids[-1], wants_time_zone=not hit.time_zone, page_count=1)
            for hit in hits
        ]
        self._transport.write(frame(FrameKind.HIT_RESULTS, encode((numbers, results))))


if __name__ == "__main__":
    main()
