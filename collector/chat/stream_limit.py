"""How many streams and polls are held, of one address and in all: each takes memory and an open file."""

from __future__ import annotations

from collector.http.held_counts import Full, HeldCounts
from core.reasons import Reason


class StreamLimit:
    """Counts the calls that are held. Used on the event loop only."""

    def __init__(self, most: int, most_of_address: int, counts: HeldCounts) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._counts = counts

    def take(self, address: str) -> Reason | None:
        """None when the address may hold one more, which counts until `give_back`; else why not."""
        full = self._counts.take(address, self._most_of_address, self._most)
        if full is None:
            return None
        return Reason.TOO_MANY_STREAMS if full is Full.CLIENT else Reason.STREAMS_FULL

    def give_back(self, address: str) -> None:
        """The address holds one less."""
        self._counts.give_back(address)
