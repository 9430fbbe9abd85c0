"""Simulated visitors and agents of many conversations: each sends its lines until they are answered,
and keeps what its stream brings in the order of arrival."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from itertools import count
from time import monotonic
from typing import Any

import httpx

from collector.chat.offers import ATTENDED
from tests.helpers.running_collector import CHROME

RETRY = 0.2
DEADLINE = 30
HERE_EVERY = 10.0
"""Seconds, as in pages/parts/chat/client/stream_client.js."""

SENT_AT_ONCE = 6
"""Lines that the agent's browser sends at a time: as many as a browser allows for one host."""


class PeerVisitor:
    """A visitor who opens a conversation and sends lines in it."""

    def __init__(self, url: str, site: str, number: int) -> None:
        self.visit = f"visit{number:015d}"
        self.received: list[dict[str, Any]] = []
        self.has_lost_its_agent = False
        """Whether an update has said so."""
        self._http, self._url, self._site = _browser(), url, site
        self._token = ""

    async def talk(self, lines: int, all_lines: int) -> None:
        """Return once every line was answered and all lines of both sides have arrived."""
        async with self._http:
            await self._arrive()
            opened = await self._call("open", s=self.visit, t="tab1", n="line0000", x=self.line(0))
            self._token = opened["c"]
            await asyncio.gather(self._listen(all_lines), self._send_lines(lines))

    async def _arrive(self) -> None:
        """Open a page, and stay until the collector knows that an agent is there."""
        for number in count(1):
            event = {"e": "v" if number == 1 else "p", "n": number, "u": "/cart"}
            answer = await self._post("beacon", s=self.visit, t="tab1", b=[event])
            if answer.json().get("c", {}).get("b") == 1:
                return
            await asyncio.sleep(RETRY)

    async def is_refused(self) -> list[tuple[int, str]]:
        """How another line, and another conversation, are answered: status and reason."""
        self._http = _browser()
        async with self._http:
            more = {"n": "afterwards01", "x": "One more thing"}
            answers = [
                await self._once("conversation/send", c=self._token, **more),
                await self._once("conversation/open", s=self.visit, t="tab1", **more),
            ]
        return [(each.status_code, each.headers.get("X-Drop-Reason", "")) for each in answers]

    def line(self, number: int) -> str:
        """The text of the number-th line."""
        return f"line {number} of {self.visit}"

    async def _send_lines(self, lines: int) -> None:
        for number in range(1, lines):
            await self._call("send", c=self._token, n=f"line{number:04d}", x=self.line(number))

    async def _listen(self, all_lines: int) -> None:
        after = 0
        while len(self.received) < all_lines:
            body = self._body(c=self._token, after=after)
            url = f"{self._url}/v1/conversation/stream"
            try:
                async with self._http.stream("POST", url, content=body) as stream:
                    async for update in events(stream):
                        after = update["id"]
                        self.has_lost_its_agent |= bool(update["v"])
                        self.received += update["m"]
                        if len(self.received) >= all_lines:
                            return
            except httpx.HTTPError:
                await asyncio.sleep(RETRY)

    async def _call(self, action: str, **fields: Any) -> Any:
        return (await self._post(f"conversation/{action}", **fields)).json()

    async def _post(self, path: str, **fields: Any) -> httpx.Response:
        return await send_until_accepted(lambda: self._once(path, **fields))

    async def _once(self, path: str, **fields: Any) -> httpx.Response:
        return await self._http.post(
            f"{self._url}/v1/{path}", content=self._body(**fields), headers={"User-Agent": CHROME}
        )

    def _body(self, **fields: Any) -> bytes:
        return json.dumps({"v": 1, "k": self._site, **fields}).encode()


async def until_attended(url: str, site: str) -> None:
    """Return once this collector knows that an agent is available: it looks every few seconds."""
    tag = {"v": 1, "k": site, "s": "scout000000000000000", "t": "tab1"}
    async with _browser() as http:
        for number in count(1):
            body = json.dumps({**tag, "b": [{"e": "v", "n": number, "u": "/"}]})
            answer = await http.post(
                f"{url}/v1/beacon", content=body, headers={"User-Agent": CHROME}
            )
            if answer.json().get("c", {}).get("b") == ATTENDED:
                return
            await asyncio.sleep(RETRY)


class AgentBrowser:
    """The browser of an agent who answers in every conversation."""

    def __init__(self, url: str, key: str, site: str) -> None:
        self.received: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._conversations: dict[str, str] = {}
        self._http, self._url, self._site = _browser(), url, site
        self._headers = {"Cookie": f"visitor-monitor-agent={key}", "Origin": url}
        self._places = asyncio.Semaphore(SENT_AT_ONCE)
        self._is_open = False
        self._here_at = 0.0
        self._changed = asyncio.Event()

    def messages(self, visit: str) -> list[dict[str, Any]]:
        """The messages that arrived in the visit's conversation."""
        return self.received[self._conversations[visit]]

    async def wait_until_open(self) -> None:
        """Return once the stream is open: from then on it brings every message."""
        await self._until(lambda: self._is_open)

    async def listen(self) -> None:
        """Follow the stream until cancelled."""
        after = 0
        while True:
            try:
                address = f"{self._url}/agent/stream?after={after}"
                async with self._http.stream("GET", address, headers=self._headers) as stream:
                    async for news in events(stream):
                        after = news.get("id", after)
                        self._keep(news)
                        await self._say_here()
            except httpx.HTTPError:
                await asyncio.sleep(RETRY)

    async def answer(self, visitor: PeerVisitor, lines: int) -> None:
        """Send this many lines in the visitor's conversation, once it has appeared."""
        for number in range(lines):
            await self.send(visitor, number)

    async def send(self, visitor: PeerVisitor, number: int) -> None:
        """Send the number-th answer, once the conversation has appeared, until it is stored."""
        fields = self.fields(visitor, number)
        await self._until(lambda: visitor.visit in self._conversations)
        async with self._places:
            await send_until_accepted(lambda: self.act("send", visitor, **fields))

    def fields(self, visitor: PeerVisitor, number: int) -> dict[str, str]:
        """The number-th answer, the same from whichever agent."""
        return {"n": f"answer{number:04d}", "text": f"answer {number} to {visitor.visit}"}

    async def act(self, action: str, visitor: PeerVisitor, **fields: Any) -> httpx.Response:
        """Do this in the visitor's conversation, once."""
        await self._until(lambda: visitor.visit in self._conversations)
        body = {"site": self._site, "id": self._conversations[visitor.visit], **fields}
        return await self._post(action, body)

    async def has_all(self, visitors: list[PeerVisitor], all_lines: int) -> None:
        """Return once every line of every conversation has arrived."""
        await self._until(lambda: all(len(self.messages(v.visit)) >= all_lines for v in visitors))

    async def _say_here(self) -> None:
        """As the page does: that this browser is awake."""
        if monotonic() - self._here_at >= HERE_EVERY:
            self._here_at = monotonic()
            await self._post("here", {})

    async def _post(self, action: str, body: dict[str, Any]) -> httpx.Response:
        url = f"{self._url}/agent/{action}"
        return await self._http.post(url, json=body, headers=self._headers)

    def _keep(self, news: dict[str, Any]) -> None:
        self._is_open = True
        for conversation in news.get("conversations", ()):
            self._conversations[conversation["visit"]] = conversation["id"]
        for message in news.get("messages", ()):
            self.received[message["id"]].append(message)
        self._changed.set()

    async def _until(self, holds: Any) -> None:
        while not holds():
            self._changed.clear()
            await self._changed.wait()


def _browser() -> httpx.AsyncClient:
    """A client with its own connections: in one pool, hundreds of them wait for each other."""
    return httpx.AsyncClient(timeout=DEADLINE, verify=False, trust_env=False)


async def send_until_accepted(send: Any) -> httpx.Response:
    """Send until the answer is 200. Only a lost connection, 429 and 503 are tried again."""
    while True:
        try:
            answer = await send()
        except httpx.HTTPError:
            answer = None
        if answer is not None and answer.status_code == 200:
            return answer
        assert answer is None or answer.status_code in (429, 503), answer.text
        await asyncio.sleep(RETRY)


async def events(stream: httpx.Response) -> AsyncIterator[Any]:
    """The data of each server-sent event."""
    async for line in stream.aiter_lines():
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))
