"""A load of beacons over keep-alive connections, each with one request at a time."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

import uvloop

AGENTS = [
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    f"Chrome/{version}.0.0.0 Safari/537.36"
    for version in range(120, 155)
]
EVENTS_A_PAGE = 4
"""A page view, then three presences: about a minute on each page."""

PAGES = ("/", "/collections/tea", "/products/cup", "/cart", "/checkout")


@dataclass
class LoadResult:
    """seconds: how long it took. latencies: of each request, in seconds. refused: not 2xx."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that this share of the requests did not exceed, in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def send(port: int, seconds: float, connections: int, pause: float = 0.0) -> LoadResult:
    """Send for this many seconds; pause: seconds between two requests of each connection, 0: as soon as it is answered.

    With a pause the connections take turns, evenly, as visitors who know nothing of one another: what is answered
    together is not sent together next time. A request that its predecessor delays waits from when it was due.
    """
    return uvloop.run(_send(port, seconds, connections, pause))


async def _send(port: int, seconds: float, connections: int, pause: float) -> LoadResult:
    result = LoadResult(0)
    loop = asyncio.get_running_loop()
    seed = time.perf_counter()
    senders: list[_Sender] = []
    for number in range(connections):
        requests = beacon_requests(f"{port}-{number}-{seed}")

        def make(requests: Iterator[bytes] = requests) -> _Sender:
            return _Sender(requests, pause, result, loop.call_later)

        _, sender = await loop.create_connection(make, "127.0.0.1", port)
        senders.append(sender)
    began = time.perf_counter()
    for number, sender in enumerate(senders):
        sender.begin(began + pause * number / connections, began + seconds)
    await asyncio.gather(*(sender.is_done for sender in senders))
    result.seconds = time.perf_counter() - began
    return result


class _Sender(asyncio.Protocol):
    def __init__(
        self,
        requests: Iterator[bytes],
        pause: float,
        result: LoadResult,
        later: Callable[..., object],
    ) -> None:
        self._requests = requests
        self._pause = pause
        self._result = result
        self._later = later
        self._received = b""
        self._due_at = self._until = 0.0
        self.is_done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def begin(self, at: float, until: float) -> None:
        """Send the first request at this moment, and none after `until`."""
        self._due_at, self._until = at, until
        self._send_when_due()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not _is_complete(self._received):
            return
        now = time.perf_counter()
        self._result.latencies.append(now - self._since)
        if not self._received.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")):
            self._result.refused += 1
        self._received = b""
        self._due_at = self._due_at + self._pause if self._pause else now
        self._send_when_due()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_done.done():
            self.is_done.set_result(None)

    def _send_when_due(self) -> None:
        wait = self._due_at - time.perf_counter()
        if wait > 0:
            self._later(wait, self._send)
        else:
            self._send()

    def _send(self) -> None:
        now = time.perf_counter()
        if now >= self._until:
            self._transport.close()
            return
        self._since = min(now, self._due_at)  # a timer is up to a millisecond early or late
        self._transport.write(next(self._requests))


def _is_complete(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    _, named, length = head.partition(b"content-length: ")
    return bool(end) and (not named or len(body) >= int(length.split(b"\r", 1)[0]))


def beacon_requests(seed: str) -> Iterator[bytes]:
    """One visitor after another, each with a few pages."""
    for visitor in itertools.count():
        visit_id = f"{abs(hash((seed, visitor))):020d}"
        agent = AGENTS[visitor % len(AGENTS)]
        for page, path in enumerate(PAGES):
            for number in range(EVENTS_A_PAGE):
                event: dict[str, object] = {"n": number + 1, "o": 0, "a": number * 3, "u": path}
                event |= {"d": "Tea and cups", "f": 1}
                if number == 0:
                    event |= {
                        "e": "v",
                        "l": "en-US",
                        "y": 0,
                        "wd": 0,
                        "r": "https://www.google.com/",
                    }
                else:
                    event |= {"e": "p", "z": "Europe/Berlin"}
                yield _request(visit_id, f"tab{page:05d}", event, agent)


def _request(visit_id: str, tab: str, event: dict[str, object], agent: str) -> bytes:
    beacon = {"v": 1, "k": "demo", "s": visit_id, "t": tab, "b": [event]}
    body = json.dumps(beacon, separators=(",", ":")).encode()
    head = (
        "POST /v1/beacon HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain;charset=UTF-8\r\n"
        f"Origin: https://shop.example\r\nUser-Agent: {agent}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
