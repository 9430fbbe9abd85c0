"""Connections that wait for one thing from their peers, and until when they may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

Waiting = TypeVar("Waiting")


class Deadline(Generic[Waiting]):
    """Who waits since when, in the order in which they began: one look finds all that are overdue."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[Waiting, float] = {}

    def __iter__(self) -> Iterator[Waiting]:
        """Those that wait, the oldest first."""
        return iter(self._since)

    def begin(self, waiting: Waiting, now: float) -> None:
        """It waits from now on."""
        self._since[waiting] = now

    def end(self, waiting: Waiting) -> None:
        """It waits no more."""
        self._since.pop(waiting, None)

    def overdue(self, now: float) -> list[Waiting]:
        """Those that have waited for too long."""
        latest = now - self._seconds
        found: list[Waiting] = []
        for waiting, since in self._since.items():
            if since > latest:
                break
            found.append(waiting)
        return found
