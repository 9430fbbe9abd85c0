"""Heads of direct requests that were read before: a browser sends the same bytes with each of its beacons.

A request whose head is known, and which comes whole in one read between two others, goes past the parser: of the
same bytes it would make the same. Whatever else comes is the parser's.
"""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec import Struct

MOST_KNOWN = 2_048
"""Heads that are remembered, in memory only: 4 MB of what browsers send, 8 of the longest that somebody makes up."""

LONGEST_KNOWN = 2_048
"""Bytes of a head that is remembered: browsers and proxies send 500 to 1,200."""

KEPT_FOR = 300.0
"""Seconds after which all are forgotten: they have addresses and names of browsers (docs/privacy.md)."""

_END = b"\r\n\r\n"


class KnownHead(Struct, frozen=True):
    """size: bytes of the head, length: those of the body behind it. head: what the route has read in it."""

    size: int
    length: int
    method: str
    head: Any


class KnownHeads:
    """Those of one process, by their bytes; all are forgotten together, and learnt anew. Used on the event loop only."""

    def __init__(self) -> None:
        self._heads: dict[bytes, KnownHead] = {}

    def __len__(self) -> int:
        return len(self._heads)

    def find(self, data: bytes) -> KnownHead | None:
        """The head of a request that is all of the data; None: the parser has to look."""
        known = self._heads.get(data[: data.find(_END) + len(_END)])
        return known if known is not None and len(data) == known.size + known.length else None

    def learn(self, data: bytes, length: int, method: str, head: Any) -> None:
        """All of the data was one request with a body of this length, as its head says."""
        size = len(data) - length
        if size > LONGEST_KNOWN or data.find(_END) + len(_END) != size:
            return
        if len(self._heads) >= MOST_KNOWN:
            self._heads.clear()
        elif not self._heads:
            asyncio.get_running_loop().call_later(KEPT_FOR, self._heads.clear)
        self._heads[data[:size]] = KnownHead(size, length, method, head)
