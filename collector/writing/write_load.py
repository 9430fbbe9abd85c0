"""How much the writer has to do: what waits for it, and how long a transaction takes it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

_LOOKS_BACK = 1.0
"""Seconds over which it is told how busy the writer is."""


class WriteLoad:
    """Noted and taken by the writer. depth: how many hits wait for their results at all workers."""

    def __init__(
        self, depth: Callable[[], int], monotonic_clock: Callable[[], float] = monotonic
    ) -> None:
        self._depth = depth
        self._clock = monotonic_clock
        self._longest = 0.0
        self._spent = 0.0
        self._busy = 0.0
        self._since = monotonic_clock()

    @property
    def queued(self) -> int:
        """Hits that wait for their results."""
        return self._depth()

    def committed(self, seconds: float) -> None:
        """Note one transaction that took so long."""
        self._longest = max(self._longest, seconds)
        self._spent += seconds

    @property
    def busy(self) -> float:
        """The share of the last second or two, from 0 to 1, that went into what visitors have sent."""
        now = self._clock()
        length = now - self._since
        if length >= _LOOKS_BACK:
            self._busy = min(self._spent / length, 1.0)
            self._spent, self._since = 0.0, now
        return self._busy

    def take_longest(self) -> int:
        """The longest transaction since the last call, in milliseconds."""
        longest, self._longest = self._longest, 0.0
        return round(longest * 1000)
