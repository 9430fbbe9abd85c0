"""Simultaneous first beacons: one visit a visitor, one view a beacon, in whichever collector."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.helpers.running_collector import CHROME, ORIGIN, RunningCollector, view

VISITORS = 20
BEACONS = 16


def test_simultaneous_first_beacons_are_one_visit_each(run_collector, database_url):
    collector = run_collector(database_url)
    _race([collector])
    _assert_counted_once(collector)


def test_two_collectors_on_one_postgres_agree(run_collector, postgres_url):
    collectors = [run_collector(postgres_url), run_collector(postgres_url)]
    _race(collectors)
    _assert_counted_once(collectors[0])


def test_simultaneous_copies_of_one_beacon_count_once(run_collector, postgres_url):
    collectors = [run_collector(postgres_url), run_collector(postgres_url)]
    _race(collectors, copies=3)
    _assert_counted_once(collectors[0])


def _race(collectors: Sequence[RunningCollector], copies: int = 1) -> None:
    beacons = [
        _beacon(visitor, tab)
        for tab in range(BEACONS)
        for visitor in range(VISITORS)
        for _ in range(copies)
    ]
    ports = [collector.port for collector in collectors]
    # On a thread of its own: while browsers are open, their driver's loop runs on this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _send_all(ports, beacons)).result()


def _beacon(visitor: int, tab: int) -> dict[str, Any]:
    visit_id, tab_id = f"racer{visitor:015d}", f"tab{tab:05d}"
    return {"v": 1, "k": "shop1", "s": visit_id, "t": tab_id, "b": [view(path=f"/{tab}")]}


async def _send_all(ports: Sequence[int], beacons: Sequence[dict[str, Any]]) -> None:
    """Each beacon on a connection of its own, all connections open before the first one sends."""
    to = zip(itertools.cycle(ports), beacons, strict=False)
    connections = [(*await asyncio.open_connection("127.0.0.1", port), sent) for port, sent in to]
    for _, writer, beacon in connections:
        writer.write(_request(beacon))
    answers = [await reader.readline() for reader, _, _ in connections]
    for _, writer, _ in connections:
        writer.close()
    assert answers == [b"HTTP/1.1 200 OK\r\n"] * len(beacons)


def _request(beacon: dict[str, Any]) -> bytes:
    body = json.dumps(beacon).encode()
    head = f"POST /v1/beacon HTTP/1.1\r\nHost: collector\r\nOrigin: {ORIGIN}\r\n"
    return f"{head}User-Agent: {CHROME}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _assert_counted_once(collector: RunningCollector) -> None:
    assert collector.row("SELECT count(*), sum(page_count) FROM visit") == (20, 320)
    assert collector.row("SELECT count(*) FROM page_view") == (320,)
    assert collector.row("SELECT sum(visits) FROM visit_count") == (20,)
