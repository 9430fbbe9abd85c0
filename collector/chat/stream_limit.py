"""How many streams and polls are held, of one address and in all: each takes memory and an open file."""

from __future__ import annotations

from collections import defaultdict

from core.reasons import Reason


class StreamLimit:
    """Counts the calls that are held. Used on the event loop only."""

    def __init__(self, most: int, most_of_address: int) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._held: defaultdict[str, int] = defaultdict(int)
        self._total = 0

    def take(self, address: str) -> Reason | None:
        """None when the address may hold one more, which counts until `give_back`; else why not."""
        if self._held.get(address, 0) >= self._most_of_address:
            return Reason.TOO_MANY_STREAMS
        if self._total >= self._most:
            return Reason.STREAMS_FULL
        self._held[address] += 1
        self._total += 1
        return None

    def give_back(self, address: str) -> None:
        """The address holds one less."""
        self._total -= 1
        self._held[address] -= 1
        if not self._held[address]:
            del self._held[address]
