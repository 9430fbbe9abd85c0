"""The agent's stream: server-sent events, and the same as a long poll for proxies that hold them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pages.server.hub import Listener
from pages.server.news import News, now_ms

HEARTBEAT = 15.0
"""Seconds of silence after which a stream says that it lives."""

POLL = 25.0
"""Seconds that a poll waits for something to say."""

RETRY = 1_000
"""Milliseconds after which a browser comes back by itself."""

HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold the events back
}


class EventStream(Response):
    """Events until the browser goes away, the listener ends or the process does."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[str], on_end: Callable[[], None]) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._events = events
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whichever ends first ends both: the browser, or the events."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        gone = asyncio.create_task(_gone(receive))
        speaking = asyncio.create_task(self._speak(send))
        try:
            await asyncio.wait((gone, speaking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, speaking):
                task.cancel()
            await asyncio.gather(gone, speaking, return_exceptions=True)
            await self._events.aclose()
            self._on_end()

    async def _speak(self, send: Send) -> None:
        async for event in self._events:
            await send(_part(event, more=True))
        await send(_part("", more=False))


async def events(listener: Listener, hello: str, first: News) -> AsyncGenerator[str]:
    """`hello`, what the agent has missed, and then every change once, in its order."""
    yield f"retry: {RETRY}\nevent: hello\ndata: {hello}\n\n"
    yield _event(first)
    seen = first.revision
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT):
                told = await listener.queue.get()
        except TimeoutError:
            yield f'event: beat\ndata: {{"now":{now_ms()}}}\n\n'
            continue
        if told is None:
            return
        if told.revision > seen:
            seen = told.revision
            yield _event(told)


async def next_news(listener: Listener, after: int) -> News | None:
    """The first change after that revision; None when there is none within POLL."""
    with suppress(TimeoutError):
        async with asyncio.timeout(POLL):
            while (told := await listener.queue.get()) is not None:
                if told.revision > after:
                    return told
    return None


def after(request: Request) -> int:
    """How far the browser has got; 0 when it knows nothing."""
    said = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 17 else 0


def _event(told: News) -> str:
    return f"id: {told.revision}\ndata: {told.text}\n\n"


def _part(text: str, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": text.encode(), "more_body": more}


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
