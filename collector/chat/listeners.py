"""The calls that wait for an invitation: a browser in view keeps one open, so that it hears at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from core.visits.visit_id import VisitKey


class Listeners:
    """The listeners by visit, each with the event that wakes it. Used on the event loop only."""

    def __init__(self) -> None:
        self._of: dict[VisitKey, set[asyncio.Event]] = {}
        self._number = 0

    def __len__(self) -> int:
        return self._number

    def add(self, keys: Sequence[VisitKey]) -> asyncio.Event:
        """A new listener of these visits, of which one is its own; its event is set whenever one of them is woken."""
        event = asyncio.Event()
        for key in keys:
            self._of.setdefault(key, set()).add(event)
        self._number += 1
        return event

    def remove(self, keys: Sequence[VisitKey], event: asyncio.Event) -> None:
        """It has ended."""
        self._number -= 1
        for key in keys:
            others = self._of[key]
            others.discard(event)
            if not others:
                del self._of[key]

    def wake(self, key: VisitKey) -> None:
        """There may be news for this visit: an invitation, or a block."""
        for event in self._of.get(key, ()):
            event.set()
