"""Since when a reader holds SQLite's log: what was written after its snapshot cannot be moved into the file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Find = Callable[[], frozenset[int]]
"""Finds the processes of which one is the oldest reader."""


class LogHold:
    """Found by what checkpoints get done: SQLite does not say who reads, nor since when.

    readers: the processes that were the oldest readers at every checkpoint since then; one of them holds it.
    """

    def __init__(self, find: Find = frozenset) -> None:
        self._find = find
        self._frame = 0
        self.since: datetime | None = None
        self.readers: frozenset[int] = frozenset()

    def note(self, frames: int, moved: int, now: datetime) -> None:
        """Note a checkpoint at `now`: the log had so many frames, of which so many are in the file.

        Short readers come and go, and each checkpoint gets further. One that ends where the last one
        ended, although more was written, is held by the same reader.
        """
        if moved >= frames:
            self.since, self.readers = None, frozenset()
        elif self.since is None or moved != self._frame:
            self.since, self.readers = now, self._find()
        else:
            self.readers = self.readers & self._find() or self._find()
        self._frame = moved
