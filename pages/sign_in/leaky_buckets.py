"""What happened to many keys of late, in a fixed memory: nobody can push out what is counted of another."""

from __future__ import annotations

import secrets
from array import array
from collections.abc import Iterator
from hashlib import blake2b

_ROWS = 4
_WIDTH = 65_536
"""Cells of a row: 4 MiB in all. With 10,000 keys counted, one in 2,000 others shares all of its cells."""


class LeakyBuckets:
    """A level for each key: `add` raises it by one, and it falls by one every `drains_every` seconds.

    A count-min sketch: a key has one cell in each row, found by a hash that only this process knows, and
    its level is that of the lowest. Who shares cells can raise another's level, and never lower it.
    """

    def __init__(self, drains_every: float, most: float, width: int = _WIDTH) -> None:
        self._drains_every = drains_every
        self._most = most
        self._width = width
        self._hash_key = secrets.token_bytes(16)
        self._levels = array("d", bytes(8 * _ROWS * width))
        self._changed_at = array("d", bytes(8 * _ROWS * width))

    def level(self, key: str, now: float) -> float:
        """The key's level; `now` in seconds of a clock that never goes back."""
        return min(self._level(cell, now) for cell in self._cells(key))

    def add(self, key: str, now: float) -> None:
        """Count one more for the key; no level rises above `most`."""
        self._change(key, 1, now)

    def take(self, key: str, number: float, now: float) -> None:
        """Count so many less for the key."""
        self._change(key, -number, now)

    def _change(self, key: str, by: float, now: float) -> None:
        for cell in self._cells(key):
            self._levels[cell] = min(max(self._level(cell, now) + by, 0), self._most)
            self._changed_at[cell] = now

    def _level(self, cell: int, now: float) -> float:
        drained = (now - self._changed_at[cell]) / self._drains_every
        return max(self._levels[cell] - drained, 0)

    def _cells(self, key: str) -> Iterator[int]:
        digest = blake2b(key.encode(), digest_size=4 * _ROWS, key=self._hash_key).digest()
        for row in range(_ROWS):
            part = int.from_bytes(digest[4 * row : 4 * row + 4], "big")
            yield row * self._width + part % self._width
