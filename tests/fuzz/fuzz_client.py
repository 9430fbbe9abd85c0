"""Sends the requests of a fuzz run over many connections, with honest ones in between, and judges the answers."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from core.reasons import Reason
from tests.fuzz.fuzz_requests import (
    BEACON,
    FuzzRequest,
    make_request,
    valid_beacon,
    valid_opening,
    whole_request,
)
from tests.helpers.running_collector import CHROME, ORIGIN

WORKERS = 64
HONEST_EVERY = 40
"""Requests of a worker after which an honest visitor sends a page view."""

CHAT_EVERY = 150
"""Requests of a worker after which a visitor begins a chat, whose token later requests have."""

ANSWERS_WITHIN = 20.0
"""Seconds for an answer to a request that is whole: longer than the collector lets a beacon wait."""

COMES_AGAIN, COMES_AFTER = 12, 1.0
"""How often an honest visitor sends what was answered 503, and after how many seconds: a minute or two of a busy machine,
on which sixty chats that begin at once take Postgres longer than the collector lets one wait."""

LISTENS_FOR = 0.2
"""Seconds after which nothing more is expected of what is no request, or of an answer that is held."""

_STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3})[^\r\n]*((?:\r?\n[^\r\n]+)*)", re.MULTILINE)
_OWN = {"User-Agent": CHROME, "Origin": ORIGIN}


@dataclass
class FuzzTally:
    """What was answered. failures: each the bytes that were sent and what was wrong with the answer.

    honest: page views of honest visitors that were acknowledged, as visit, tab and number.
    """

    answers: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    failures: list[tuple[bytes, str]] = field(default_factory=list[tuple[bytes, str]])
    honest: set[tuple[str, str, int]] = field(default_factory=set[tuple[str, str, int]])
    sent: int = 0


async def send_all(port: int, seed: int, number: int, tally: FuzzTally) -> None:
    """Send so many requests, spread over the workers; what each one sends is made from the seed."""
    workers = [_Worker(port, seed, name, tally) for name in range(WORKERS)]
    each = -(-number // WORKERS)
    await asyncio.gather(*(worker.send(each) for worker in workers))


async def send_once(port: int, data: bytes) -> bytes:
    """What is answered to these bytes until the connection is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        return await _listen(reader, ANSWERS_WITHIN / 4)
    finally:
        writer.close()


def judge_answer(tally: FuzzTally, data: bytes, answer: bytes) -> None:
    """Count every answer in what has come back, several where one request was two, and what is wrong with it."""
    for found in _STATUS.finditer(answer):
        status, headers = found[1].decode(), found[2].lower()
        reason = re.search(rb"\nx-drop-reason: (\S+)", headers)
        tally.answers[status] += 1
        tally.reasons[reason[1].decode() if reason else "none"] += 1
        if status.startswith("5") and not (status == "503" and b"\nretry-after: " in headers):
            tally.failures.append((data, f"answered {status}"))
        if reason and reason[1].decode() == Reason.FAULT:
            tally.failures.append((data, "a fault of the collector's own"))
        if b"text/html" in headers and not data.startswith((b"GET", b"HEAD")):
            tally.failures.append((data, "answered with markup"))


class _Worker:
    def __init__(self, port: int, seed: int, name: int, tally: FuzzTally) -> None:
        self._port = port
        self._seed = f"{seed}-{name}"
        self._name = name
        self._tally = tally
        self._visits = [f"fuzz{name:02d}visit{number:09d}" for number in range(30)]
        self._tokens: list[str] = []
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, number: int) -> None:
        """Send so many requests, one after the other."""
        for place in range(number):
            chance = random.Random(f"{self._seed}-{place}")
            await self._send_one(make_request(chance, self._visits, self._tokens))
            if place % HONEST_EVERY == 0:
                await self._send_honest(place // HONEST_EVERY + 1)
            if place % CHAT_EVERY == 0:
                await self._begin_chat(place)
        self._close()

    async def _send_one(self, request: FuzzRequest) -> None:
        self._tally.sent += 1
        try:
            if request.is_whole and not request.is_held:
                answer = await self._ask(request.data)
            else:
                answer = await self._try(request)
        except TimeoutError:
            self._fail(request.data, f"no answer within {ANSWERS_WITHIN:g} s")
            self._close()
            return
        except OSError as fault:
            self._fail(request.data, f"no connection: {type(fault).__name__}")
            self._close()
            return
        if request.is_whole and not request.is_held and not answer:
            self._fail(request.data, "the connection was closed without an answer")
        judge_answer(self._tally, request.data, answer)

    async def _ask(self, data: bytes) -> bytes:
        """The answer to a whole request; a kept connection may have been closed meanwhile."""
        was_kept = self._open is not None
        answer = await self._ask_once(data)
        return answer if answer or not was_kept else await self._ask_once(data)

    async def _ask_once(self, data: bytes) -> bytes:
        async with asyncio.timeout(ANSWERS_WITHIN):
            self._open = self._open or await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._open
            try:
                writer.write(data)
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"\ncontent-length: (\d+)", head.lower())
                body = await reader.readexactly(int(length[1])) if length else b""
            except (ConnectionError, asyncio.IncompleteReadError):
                self._close()
                return b""
        if b"\nconnection: close" in head.lower():
            self._close()
        return head + body

    async def _try(self, request: FuzzRequest) -> bytes:
        """What comes within a moment, on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(request.data)
            return await _listen(reader, LISTENS_FOR)
        finally:
            writer.close()

    async def _send_honest(self, number: int) -> None:
        visit, tab = f"honest{self._name:02d}visit{number // 20:07d}", f"tab{self._name:05d}"
        body = json.dumps(valid_beacon(visit, tab, number)).encode()
        data = whole_request(BEACON, body, _OWN)
        answer = await self._ask_honestly(data)
        if answer.startswith(b"HTTP/1.1 200"):
            self._tally.honest.add((visit, tab, number))
        else:
            self._fail(data, f"an honest page view was answered {answer[:60]!r}")

    async def _begin_chat(self, place: int) -> None:
        visit, tab = self._visits[place // CHAT_EVERY % len(self._visits)], f"tab{place % 4:05d}"
        body = json.dumps(valid_beacon(visit, tab, 1)).encode()
        await self._ask_honestly(whole_request(BEACON, body, _OWN))
        call = valid_opening(visit, tab, f"open{self._name:02d}{place:08d}")
        data = whole_request("/v1/conversation/open", json.dumps(call).encode(), _OWN)
        answer = await self._ask_honestly(data)
        if answer.startswith(b"HTTP/1.1 200"):
            self._tokens.append(json.loads(answer.partition(b"\r\n\r\n")[2])["c"])
        elif not answer.startswith(b"HTTP/1.1 409"):  # its visit has a chat, or has begun ten
            self._fail(data, f"an honest chat was answered {answer[:60]!r}")

    async def _ask_honestly(self, data: bytes) -> bytes:
        """The answer; who is told to come again does, as scripts do: a busy machine is no failure."""
        answer = b""
        for _ in range(COMES_AGAIN):
            try:
                answer = await self._ask(data)
            except (TimeoutError, OSError) as fault:
                self._close()
                return type(fault).__name__.encode()
            if not answer.startswith(b"HTTP/1.1 503"):
                break
            await asyncio.sleep(COMES_AFTER)
        return answer

    def _fail(self, data: bytes, fault: str) -> None:
        self._tally.failures.append((data, fault))

    def _close(self) -> None:
        if self._open:
            self._open[1].close()
        self._open = None


async def _listen(reader: asyncio.StreamReader, seconds: float) -> bytes:
    answer = b""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(seconds):
            while part := await reader.read(65_536):
                answer += part
    return answer
