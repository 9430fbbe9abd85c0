"""How much the writer has to do: what waits for it, and how long a transaction takes it."""

from __future__ import annotations

from collector.writing.write_queue import WriteQueue


class WriteLoad:
    """Noted and taken on the writer's thread."""

    def __init__(self, queue: WriteQueue) -> None:
        self._queue = queue
        self._longest = 0.0

    @property
    def queued(self) -> int:
        """Hits that wait for a transaction."""
        return self._queue.depth

    def committed(self, seconds: float) -> None:
        """Note one transaction that took so long."""
        self._longest = max(self._longest, seconds)

    def take_longest(self) -> int:
        """The longest transaction since the last call, in milliseconds."""
        longest, self._longest = self._longest, 0.0
        return round(longest * 1000)
