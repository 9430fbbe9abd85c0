"""Numbers by key, in memory that forked processes share: made before they are forked, and of a fixed size."""

from __future__ import annotations

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from mmap import mmap
from tempfile import TemporaryFile

WAYS = 16
"""Places that a key may have. With four times the places that are in use, a key finds none once in 10^8 (own)."""

_BYTES = 8


class SharedTable:
    """Places of a few numbers each, all 0 at first; who uses one holds a lock, which goes with a process that dies.

    Keys are known by 64 bits of Python's keyed hash, whose secret forked processes share.
    """

    def __init__(self, places: int, numbers: int, locks: int = 64) -> None:
        """locks: over how many the keys are spread; with one, `hold` holds the whole table."""
        self._sets = max(places // WAYS, 1)
        self._width = 1 + numbers
        memory = memoryview(mmap(-1, self._sets * WAYS * self._width * _BYTES))
        self._keys = memory.cast("Q")
        self._numbers = memory.cast("d")
        self._locks = locks
        self._file = TemporaryFile()  # noqa: SIM115 - as long as the table

    @contextmanager
    def hold(self, key: str) -> Generator[None]:
        """Keep other processes from the numbers of this key."""
        lock = self._set_of(_hash(key)) % self._locks
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, lock)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, lock)

    def find(self, key: str) -> memoryview[float]:
        """The numbers of the key, to read and to change while it is held.

        A new key gets a place that is free, by its first number being 0, else that whose first number is the least:
        they are 0 then.
        """
        hashed, width = _hash(key), self._width
        keys, numbers = self._keys, self._numbers
        start = self._set_of(hashed) * WAYS * width
        places = range(start, start + WAYS * width, width)
        for at in places:
            if keys[at] == hashed:
                return numbers[at + 1 : at + width]
        least = min(places, key=lambda at: numbers[at + 1])
        keys[least] = hashed
        found = numbers[least + 1 : least + width]
        for index in range(width - 1):
            found[index] = 0
        return found

    def first_of(self, key: str) -> float:
        """The first number of the key as it is now, without holding it; 0 of a key that has no place."""
        hashed, width = _hash(key), self._width
        start = self._set_of(hashed) * WAYS * width
        for at in range(start, start + WAYS * width, width):
            if self._keys[at] == hashed:
                return self._numbers[at + 1]
        return 0

    def take_out(self, number: int) -> None:
        """Take this number of each key from the key's first one, of which it is a part, and make it 0."""
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            parts = self._numbers[1 + number :: self._width].tolist()
            for place, part in enumerate(parts):
                if part:
                    self._numbers[place * self._width + 1] -= part
                    self._numbers[place * self._width + 1 + number] = 0
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)

    def _set_of(self, hashed: int) -> int:
        return hashed % self._sets


def _hash(key: str) -> int:
    return hash(key) & 0xFFFF_FFFF_FFFF_FFFF or 1
