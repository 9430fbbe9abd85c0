"""The body of a request: bounded in size and in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from time import monotonic
from typing import Any

MAX_BYTES = 16_384
"""Bytes of a body (docs/beacon.md)."""

BODY_WITHIN = 10.0
"""Seconds in which a body must have arrived."""

_LOOK_EVERY = 0.5

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class BodyReader:
    """Reads bodies. One timer for all of them costs a tenth of one timer for each."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._since: dict[asyncio.Task[Any], float] = {}
        self._overdue: set[asyncio.Task[Any]] = set()
        self._is_looking = False

    async def read(self, receive: Receive) -> bytes | None:
        """The body. Of one that is too large, only its first bytes, more than the limit.

        None when the client has gone away. Raises TimeoutError after BODY_WITHIN.
        """
        task = asyncio.current_task()
        assert task is not None
        self._since[task] = monotonic()
        if not self._is_looking:
            self._look_later()
        try:
            return await self._read(receive)
        except asyncio.CancelledError:
            if task not in self._overdue:
                raise
            task.uncancel()
            raise TimeoutError from None
        finally:
            self._since.pop(task, None)
            self._overdue.discard(task)

    async def _read(self, receive: Receive) -> bytes | None:
        message = await receive()
        body = message.get("body", b"")
        while message.get("more_body") and len(body) <= self._limit:
            message = await receive()
            body += message.get("body", b"")
        return None if message["type"] == "http.disconnect" else body

    def _look_later(self) -> None:
        self._is_looking = True
        asyncio.get_running_loop().call_later(_LOOK_EVERY, self._look)

    def _look(self) -> None:
        """Cancel those that are overdue; the dict is in the order in which they began."""
        latest = monotonic() - BODY_WITHIN
        for task, since in self._since.items():
            if since > latest:
                break
            if task not in self._overdue:
                self._overdue.add(task)
                task.cancel()
        self._is_looking = False
        if self._since:
            self._look_later()
