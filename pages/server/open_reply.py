"""What is answered to one request or websocket, so that it can be ended in the middle."""

from __future__ import annotations

from contextlib import suppress

from starlette.types import Message, Receive, Scope, Send

from pages.server.access import SIGNED_OUT, refuse


class OpenReply:
    """Passes on what is sent, and knows how far that is."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._has_begun = self._is_over = False

    async def send(self, message: Message) -> None:
        """Send it."""
        kind = message["type"]
        is_last = kind == "http.response.body" and not message.get("more_body")
        self._has_begun = True
        self._is_over = self._is_over or is_last or kind == "websocket.close"
        await self._send(message)

    async def end(self) -> None:
        """Say that it is over. Whoever has gone away by now need not be told."""
        if self._is_over:
            return
        with suppress(OSError, RuntimeError):
            if self._scope["type"] == "websocket":
                await self._send({"type": "websocket.close", "code": 1008})
            elif self._has_begun:
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            else:
                await refuse(401, SIGNED_OUT)(self._scope, self._receive, self._send)
