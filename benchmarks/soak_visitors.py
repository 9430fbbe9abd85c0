"""The visitors of a soak: each is a plan of requests, sent by a connection and an address of its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

SITE = "soak"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PAGES = (
    ("/", "Tea and cups"),
    ("/collections/tea", "Tea"),
    ("/products/green-tea", "Green tea"),
    ("/products/cup", "Cup"),
    ("/cart", "Cart"),
    ("/checkout", "Checkout"),
)
MALFORMED = (
    b"",
    b"{",
    b"[]",
    b'{"v":1}',
    b'{"v":2,"k":"soak","s":"","t":"tab1","b":[]}',
    b"\xff\x00",
)
ANSWERS_WITHIN = 30.0
"""Seconds; a request that is not answered by then counts as unanswered."""

EXPECTED = {
    "beacon": "200",
    "crawler": "204",
    "malformed": "400",
    "open": "200",
    "send": "200",
    "end": "200",
    "stream": "200",
}
"""The status of each kind of request, where all is well."""


@dataclass(frozen=True)
class VisitStep:
    """Seconds to wait, the kind of request, and the event or the fields that it carries."""

    pause: float
    kind: str
    tab: int = 0
    fields: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class Tally:
    """What was sent and answered. views: the acknowledged ones, as visit, tab and number."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    latencies: list[float] = field(default_factory=list[float])
    views: set[tuple[str, str, int]] = field(default_factory=set[tuple[str, str, int]])
    unanswered: set[tuple[str, str, int]] = field(default_factory=set[tuple[str, str, int]])
    messages: int = 0
    chats_answered: int = 0

    def note(self, kind: str, status: str, seconds: float) -> None:
        """Count one answer."""
        self.answers[kind, status] += 1
        self.latencies.append(seconds)

    def unexpected(self) -> dict[str, int]:
        """The answers that none of the requests should get, and how many there were."""
        return {
            f"{kind} {status}": number
            for (kind, status), number in self.answers.items()
            if status != EXPECTED[kind]
        }


def plan(chance: random.Random) -> list[VisitStep]:
    """All that one visitor sends: most shop, some chat, a few are crawlers or send what is no beacon."""
    kind = chance.random()
    if kind < 0.06:
        return [
            VisitStep(chance.uniform(0, 2), "crawler", fields=_view(chance, 1)) for _ in range(3)
        ]
    if kind < 0.12:
        return [VisitStep(chance.uniform(0, 2), "malformed") for _ in range(3)]
    if kind < 0.16:
        return [VisitStep(chance.uniform(0, 2), "abandoned") for _ in range(2)]
    steps = list(_shopping(chance))
    if kind < 0.20:
        middle = len(steps) // 2
        steps[middle:middle] = [
            VisitStep(1, "open", fields={"x": "Do you ship to Austria?"}),
            VisitStep(chance.uniform(8, 15), "send", fields={"x": "And how long does it take?"}),
            VisitStep(chance.uniform(4, 8), "end"),
        ]
    return steps


def mean_requests(seed: int) -> float:
    """How many requests a visitor sends in the mean."""
    chance = random.Random(seed)
    return sum(len(plan(chance)) for _ in range(4_000)) / 4_000


def _shopping(chance: random.Random) -> Iterator[VisitStep]:
    """Pages in one or two tabs, presence while one is read, and the leaving of each tab."""
    tabs = 2 if chance.random() < 0.2 else 1
    numbers = [itertools.count(1) for _ in range(tabs)]
    for page in range(chance.randint(tabs, 6)):
        tab = page % tabs
        number = next(numbers[tab])
        yield VisitStep(chance.uniform(0.5, 6), "beacon", tab, _view(chance, number))
        for _ in range(chance.choice((0, 1, 1, 2))):
            presence = {"e": "p", "n": next(numbers[tab]), "p": number, "u": "/", "a": 1, "f": 1}
            yield VisitStep(chance.uniform(3, 8), "beacon", tab, presence)
    for tab in range(tabs):
        hidden = {"e": "h", "n": next(numbers[tab]), "u": "/", "a": 2, "f": 0}
        yield VisitStep(chance.uniform(0.5, 3), "beacon", tab, hidden)


def _view(chance: random.Random, number: int) -> dict[str, Any]:
    path, title = chance.choice(PAGES)
    event = {"e": "v", "n": number, "u": path, "d": title, "l": "de-AT", "a": 0, "f": 1}
    if number == 1:
        event |= {"r": chance.choice(("", "https://www.google.com/", "https://chatgpt.com/"))}
    if path == "/cart":
        event |= {"cv": chance.randint(5, 200), "cc": "EUR"}
    return event


class Crowd:
    """Visitors who come at a steady pace, until `end`."""

    def __init__(self, port: int, rate: float, seed: int) -> None:
        self.tally = Tally()
        self._port = port
        self._chance = random.Random(seed)
        self._every = mean_requests(seed) / rate
        self._visits: set[asyncio.Task[None]] = set()
        self._is_over = False

    @property
    def here(self) -> int:
        """How many visitors there are now."""
        return len(self._visits)

    async def come(self) -> None:
        """Let one visitor after another begin, at even distances, and let all leave at the end."""
        due = time.monotonic()
        for number in itertools.count():
            if self._is_over:
                break
            visitor = _Visitor(self._port, number, self._chance, self.tally, lambda: self._is_over)
            visit = asyncio.create_task(visitor.visit(plan(self._chance)))
            self._visits.add(visit)
            visit.add_done_callback(self._visits.discard)
            due += self._every
            await asyncio.sleep(max(due - time.monotonic(), 0))
        await asyncio.gather(*self._visits)

    def end(self) -> None:
        """Nobody comes any more, and who is there sends nothing after the request under way."""
        self._is_over = True


class _Visitor:
    def __init__(
        self,
        port: int,
        number: int,
        chance: random.Random,
        tally: Tally,
        is_over: Callable[[], bool],
    ) -> None:
        self._port = port
        self._address = f"127.{1 + number // 62_500 % 250}.{number // 250 % 250}.{1 + number % 250}"
        self._id = f"{chance.getrandbits(100):020x}"[:20]
        self._tabs = [f"{chance.getrandbits(32):08x}" for _ in range(2)]
        self._tally = tally
        self._is_over = is_over
        self._token = ""
        self._messages = itertools.count(1)
        self._streams: set[asyncio.Task[None]] = set()
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def visit(self, steps: list[VisitStep]) -> None:
        """Send what the plan says; the connection is kept from request to request."""
        for step in steps:
            await asyncio.sleep(step.pause)
            if self._is_over():
                break
            await self._take(step)
        for stream in self._streams:
            stream.cancel()
        self._close()

    async def _take(self, step: VisitStep) -> None:
        if step.kind == "abandoned":
            await self._abandon()
        elif step.kind == "malformed":
            await self._send("malformed", "/v1/beacon", random.choice(MALFORMED))
        elif step.kind in ("beacon", "crawler"):
            await self._report(step)
        else:
            await self._chat(step)

    async def _report(self, step: VisitStep) -> None:
        tab, event = self._tabs[step.tab], step.fields
        beacon = {"v": 1, "k": SITE, "s": self._id, "t": tab, "b": [event]}
        agent = CRAWLER if step.kind == "crawler" else CHROME
        status, body = await self._send(step.kind, "/v1/beacon", json.dumps(beacon).encode(), agent)
        if status == "200":
            self._id = json.loads(body)["s"]
        if event["e"] == "v" and step.kind == "beacon":
            known = self._tally.views if status == "200" else self._tally.unanswered
            known.add((self._id, tab, event["n"]))

    async def _chat(self, step: VisitStep) -> None:
        call: dict[str, Any] = {"v": 1, "k": SITE, **step.fields}
        if step.kind == "open":
            call |= {"s": self._id, "t": self._tabs[0]}
        elif self._token:
            call["c"] = self._token
        else:
            return
        if step.kind != "end":
            call["n"] = f"{self._id[:12]}{next(self._messages):04d}"
        path = f"/v1/conversation/{step.kind}"
        status, body = await self._send(step.kind, path, json.dumps(call).encode())
        if status != "200":
            return
        self._tally.messages += step.kind != "end"
        if step.kind == "open":
            self._token = json.loads(body)["c"]
            self._streams.add(asyncio.create_task(self._listen()))

    async def _listen(self) -> None:
        """Hold the conversation's stream until an agent has answered; then it is left open."""
        call = {"v": 1, "k": SITE, "c": self._token, "after": 0}
        reader, writer = await self._connect()
        try:
            writer.write(_request("/v1/conversation/stream", json.dumps(call).encode()))
            head = await reader.readuntil(b"\r\n\r\n")
            self._tally.answers["stream", head[9:12].decode()] += 1
            is_answered = False
            while line := await reader.readline():
                if not is_answered and b'"a":1' in line:
                    self._tally.chats_answered += 1
                    is_answered = True
        except (OSError, asyncio.IncompleteReadError):
            self._tally.answers["stream", "cut off"] += 1
        finally:
            writer.close()

    async def _abandon(self) -> None:
        """Open a connection, send half a request or nothing, and close it."""
        with suppress(OSError):
            _, writer = await self._connect()
            writer.write(random.choice((b"", b"POST /v1/beacon HTTP/1.1\r\nHost: 127.0")))
            await asyncio.sleep(random.uniform(0, 2))
            writer.close()

    async def _send(
        self, kind: str, path: str, body: bytes, agent: str = CHROME
    ) -> tuple[str, bytes]:
        """The answer's status, or what became of the request, and its body."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                self._open = self._open or await self._connect()
                reader, writer = self._open
                writer.write(_request(path, body, agent))
                status, answer, is_kept = await _read_answer(reader)
        except TimeoutError:
            status, answer, is_kept = "none", b"", False
        except (OSError, EOFError, ValueError) as fault:
            status, answer, is_kept = type(fault).__name__, b"", False
        if not is_kept:
            self._close()
        self._tally.note(kind, status, time.perf_counter() - began)
        return status, answer

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._port, local_addr=(self._address, 0))

    def _close(self) -> None:
        if self._open:
            self._open[1].close()
        self._open = None


def _request(path: str, body: bytes, agent: str = CHROME) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain;charset=UTF-8\r\n"
        f"Origin: https://shop.example\r\nUser-Agent: {agent}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _read_answer(reader: asyncio.StreamReader) -> tuple[str, bytes, bool]:
    """The status, the body, and whether the connection stays open."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, named, length = head.partition(b"content-length: ")
    body = await reader.readexactly(int(length.split(b"\r", 1)[0])) if named else b""
    return head[9:12].decode(), body, b"connection: close" not in head
