"""What browsers in view cost the collector: those that listen for an invitation, beside those that ask every 5 s."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.figure import Figure
from benchmarks.figure_table import print_figures
from benchmarks.servers import BenchmarkServer, collector
from collector.chat.offers import PRESENCE_SECONDS

SITE_KEY = "demo"
OFTEN_SECONDS = 5
"""Seconds between two beacons by which an invitation would arrive nearly as fast, and does without listening."""

OPENED_AT_ONCE = 50
ADDRESSES = 200
"""Of so many addresses the browsers are, each with few enough of them: as a trusted proxy tells."""

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)


class ListenerCost(NamedTuple):
    """Of the collector: seconds of CPU in a second, and bytes of memory for each browser."""

    cpu: float
    memory: float


@click.command()
@click.option("--browsers", default=1_000, show_default=True, help="In view at the same time.")
@click.option("--seconds", default=40, show_default=True, help="How long the CPU is measured.")
@click.option("--database-url", default=None, help="Default: a SQLite file of its own.")
def main(**options: Any) -> None:
    """Print CPU and memory of browsers that listen, to those of browsers with a beacon every 5 s."""
    print_figures(lambda: measure(**options))


def measure(browsers: int, seconds: int, database_url: str | None) -> list[Figure]:
    """CPU and memory of browsers that listen, to those of browsers with a beacon every 5 s, and every 20 s."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listen = _cost(browsers, seconds, database_url, PRESENCE_SECONDS, listens=True)
    often = _cost(browsers, seconds, database_url, OFTEN_SECONDS, listens=False)
    silent = _cost(browsers, seconds, database_url, PRESENCE_SECONDS, listens=False)
    name = f"{browsers:,} browsers that listen"
    return [
        _cpu(f"{name}, to a beacon every 5 s", listen, often),
        _cpu(f"{name}, to none that do", listen, silent),
        _memory(f"each of {name}, to a beacon every 5 s", listen, often),
    ]


def _cpu(name: str, ours: ListenerCost, other: ListenerCost) -> Figure:
    return Figure(name, "% of a core", [ours.cpu * 100], [other.cpu * 100])


def _memory(name: str, ours: ListenerCost, other: ListenerCost) -> Figure:
    return Figure(name, "KiB", [ours.memory / 1024], [other.memory / 1024])


def _cost(
    browsers: int, seconds: int, database_url: str | None, presence: int, *, listens: bool
) -> ListenerCost:
    """With a collector of its own, whose memory is compared with what it had before anybody came."""
    with tempfile.TemporaryDirectory() as folder:
        url = database_url or f"sqlite:///{Path(folder) / 'monitor.db'}"
        with collector(url, MONITOR_TRUSTED_PROXIES="127.0.0.1") as server:
            return asyncio.run(_look(server, browsers, seconds, presence, listens))


async def _look(
    server: BenchmarkServer, browsers: int, seconds: int, presence: int, listens: bool
) -> ListenerCost:
    before = server.resident()
    some = [VisibleBrowser(server.port, number) for number in range(browsers)]
    for start in range(0, browsers, OPENED_AT_ONCE):
        await asyncio.gather(*(each.open(listens) for each in some[start : start + OPENED_AT_ONCE]))
    beacons = [asyncio.create_task(each.stay(presence)) for each in some]
    await asyncio.sleep(presence)
    began = server.cpu()
    await asyncio.sleep(seconds)
    cost = ListenerCost((server.cpu() - began) / seconds, (server.resident() - before) / browsers)
    for each in [task for task in beacons if task.done()]:
        each.result()
    for task in beacons:
        task.cancel()
    return cost


class VisibleBrowser:
    """A visitor's browser that shows a page: a connection for its beacons, and one more where it listens."""

    def __init__(self, port: int, number: int) -> None:
        self._port = port
        self._visit = f"benchmark{number:011d}"
        self._address = f"198.51.{number % ADDRESSES // 250}.{number % ADDRESSES % 250}"
        self._number = 0

    async def open(self, listens: bool) -> None:
        """Show the page; returns once the collector has taken it, and the call is open where it listens."""
        self._beacons = await asyncio.open_connection("127.0.0.1", self._port)
        answer = await self._post("v")
        if listens:
            assert b'"l":1' in answer, answer
            self._call = reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(self._request("conversation/listen", {}))
            assert b" 200 " in await reader.readline()

    async def stay(self, presence: int) -> None:
        """Tell every so many seconds that the page is still there, from a moment of its own on."""
        await asyncio.sleep(random.uniform(0, presence))
        while True:
            await self._post("p")
            await asyncio.sleep(presence)

    async def _post(self, kind: str) -> bytes:
        """The body of the answer."""
        reader, writer = self._beacons
        self._number += 1
        writer.write(self._request("beacon", {"b": [{"e": kind, "n": self._number, "u": "/"}]}))
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head, head
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length"))
        return await reader.readexactly(int(length.partition(b":")[2]))

    def _request(self, path: str, fields: dict[str, Any]) -> bytes:
        body = json.dumps({"v": 1, "k": SITE_KEY, "s": self._visit, "t": "tab1", **fields}).encode()
        head = (
            f"POST /v1/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {CHROME}\r\n"
            f"X-Forwarded-For: {self._address}\r\nContent-Type: text/plain\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


if __name__ == "__main__":
    main()
