"""A transport that sends what was written in one turn of the event loop together.

uvicorn writes the head and the body of a response one after the other, and uvloop sends each at once: a
quarter of the collector's time under load went into these two system calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

MOST_HELD = 65_536
"""Bytes that are held until the turn ends; more are sent at once."""


class JoinedWrites:
    """Stands between uvicorn and the connection; `wrote` is called whenever something is sent."""

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        wrote: Callable[[], None],
    ) -> None:
        self.sent = 0
        self.is_closing = transport.is_closing
        self._transport = transport
        self._call_soon = loop.call_soon
        self._wrote = wrote
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    @property
    def unread(self) -> int:
        """Bytes that the system has not taken yet, because the peer does not read."""
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Send at the end of this turn."""
        if not self._held:
            self._call_soon(self._flush)
        self._held += data
        if len(self._held) > MOST_HELD:
            self._flush()

    def write_now(self, data: bytes) -> None:
        """Send a whole answer, and what is held before it."""
        if self._held:
            self.write(data)
            return
        self.sent += len(data)
        self._transport.write(data)
        self._wrote()

    def write_eof(self) -> None:
        """Send what is held, then tell the peer that nothing more comes."""
        self._flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Send what is held, then close."""
        self._flush()
        self._transport.close()

    def forget(self) -> None:
        """Forget whom to call: the connection has ended, and nobody refers to it through this any more."""
        self._wrote = _nothing

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held and not self._transport.is_closing():
            self.sent += len(held)
            self._transport.write(held)
            self._wrote()


def _nothing() -> None:
    """What is called of a connection that has ended."""
