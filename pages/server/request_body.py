"""The body of a request, which anybody may send: as long as it may be, and as long as it may take."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.server.access import refuse

WITHIN = 15.0
"""Seconds from the begin of a request to the end of its body. The longest that is taken has 16 kB, for which
a modem's 9,600 bits a second are enough; a proxy in front passes bodies on when it has all of them."""

LATE = "The request did not come to its end: send it again."
STOPPING = "The dashboard is being stopped: try again in a moment."


async def read_body(request: Request, longest: int) -> bytes | None:
    """The body; None when it has more bytes than this, or when its sender has gone away before its end."""
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > longest:
                return None
    except ClientDisconnect:
        return None
    return body


class BoundedBodies:
    """ASGI middleware: whoever does not send the whole body within WITHIN is answered 408, and gone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, send)
        _open.add(body)
        try:
            await self._app(scope, body.receive, body.send)
        finally:
            _open.discard(body)


def end_bodies() -> None:
    """Answer 503 to whoever has not sent the whole body: a server that stops waits for them.

    To be called on the event loop.
    """
    for body in tuple(_open):
        body.end()


class _Body:
    """One request, until the last of its body has come."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._latest = asyncio.get_running_loop().time() + WITHIN
        self._refusal: Response = refuse(408, LATE)
        self._waiting: asyncio.Timeout | None = None
        self._is_whole = self._has_begun = self._is_refused = False

    async def receive(self) -> Message:
        """The next part; as if its sender had gone away once it is too late."""
        if self._is_refused:
            return {"type": "http.disconnect"}
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._latest) as self._waiting:
                message = await self._receive()
        except TimeoutError:
            await self._refuse()
            return {"type": "http.disconnect"}
        finally:
            self._waiting = None
        self._is_whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send what is answered, unless the refusal was."""
        if not self._is_refused:
            self._has_begun = True
            await self._send(message)

    def end(self) -> None:
        """Have it refused now, if somebody waits for the rest of it."""
        self._latest = asyncio.get_running_loop().time()
        self._refusal = refuse(503, STOPPING, 5)
        if self._waiting is not None:
            self._waiting.reschedule(self._latest)

    async def _refuse(self) -> None:
        """Closing is part of it: on a connection that goes on, the rest would come as slowly as before."""
        self._is_refused = True
        if not self._has_begun:
            self._refusal.headers["Connection"] = "close"
            await self._refusal(self._scope, self._receive, self._send)


_open: set[_Body] = set()
"""Those that are being answered. Used on the event loop only."""
