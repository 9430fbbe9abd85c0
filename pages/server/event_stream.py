"""A stream of server-sent events, until the browser goes away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.faults import place_fault
from core.subscribers import Subscriber
from pages.server.news import News, now_ms

RETRY = 1_000
"""Milliseconds after which a browser reconnects by itself."""

_log = logging.getLogger("pages.streams")
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold the events back
}


class EventStream(Response):
    """A response with the events, until the browser goes away or there are no more."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[str], on_end: Callable[[], None]) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._events = events
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events; the end of the connection or of the events ends both."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        gone = asyncio.create_task(_until_gone(receive))
        sending = asyncio.create_task(self._send_events(send))
        try:
            await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and (fault := sending.exception()):
                _log.error("stream_failed fault=%s at=%s", type(fault).__name__, place_fault(fault))
        finally:
            for task in (gone, sending):
                task.cancel()
            await asyncio.gather(gone, sending, return_exceptions=True)
            await self._events.aclose()
            self._on_end()

    async def _send_events(self, send: Send) -> None:
        async for event in self._events:
            await send(_part(event, more=True))
        await send(_part("", more=False))


async def events(subscriber: Subscriber[Any, News], hello: str, first: News) -> AsyncGenerator[str]:
    """`hello`, what the browser has missed, and then every change once and in order."""
    yield f"retry: {RETRY}\nevent: hello\ndata: {hello}\n\n"
    yield _event(first)
    async for news in subscriber:
        yield _event(news) if news else f'event: beat\ndata: {{"now":{now_ms()}}}\n\n'


def _event(news: News) -> str:
    return f"id: {news.revision}\ndata: {news.text}\n\n"


def _part(text: str, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": text.encode(), "more_body": more}


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
