"""uvicorn's HTTP protocol: head and body of a response in one packet, and streams that end at a stop.

uvicorn writes them one after the other, and uvloop sends each at once: a quarter of the collector's
time under load went into these two system calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_CUT_OFF = "visitor_monitor.cut_off"
_HOLDS = "visitor_monitor.holds"


def cut_off_of(scope: Mapping[str, Any]) -> Callable[[], None]:
    """A function that ends the request's connection at once, whatever is still to be written.

    Such a request is not waited for when the collector stops: it lasts as long as it likes.
    """
    extensions = scope["extensions"]
    extensions[_HOLDS] = True
    return extensions[_CUT_OFF]


class Protocol(HttpToolsProtocol):
    """Puts joined writes between uvicorn and the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a connection."""
        super().connection_made(cast(Any, _JoinedWrites(transport, self.loop)))

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        super().on_message_begin()
        cast(Any, self.scope)["extensions"] = {_CUT_OFF: self.transport.abort}

    def shutdown(self) -> None:
        """End the connection; a response that stays open by nature is not waited for."""
        super().shutdown()
        cycle = cast(RequestResponseCycle | None, self.cycle)
        if cycle is not None and _HOLDS in cast(Any, cycle.scope)["extensions"]:
            self.transport.abort()


class _JoinedWrites:
    """A transport that sends what was written in one turn of the event loop together."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._call_soon = loop.call_soon
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send at the end of this turn."""
        if not self._held:
            self._call_soon(self._flush)
        self._held += data

    def close(self) -> None:
        """Send what is held, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held and not self._transport.is_closing():
            self._transport.write(held)
