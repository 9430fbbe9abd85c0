"""The body of a request: bounded in size. `connections.py` bounds its time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

MAX_BYTES = 16_384
"""Bytes of a body (docs/beacon.md)."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def read_body(receive: Receive) -> bytes | None:
    """The body. Of one that is too large, only its first bytes, more than MAX_BYTES.

    None when the client has gone away, or was too slow.
    """
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body") and len(body) <= MAX_BYTES:
        message = await receive()
        body += message.get("body", b"")
    return None if message["type"] == "http.disconnect" else body
