"""How many of something are open, of each client and in all: of one process, or of all workers of a collector."""

from __future__ import annotations

from collections import defaultdict
from enum import Enum
from typing import Protocol

from collector.shared_table import SharedTable

_ALL = ""
"""The key of what is open in all."""


class Full(Enum):
    """What has no room for one more."""

    CLIENT = "client"
    ALL = "all"


class HeldCounts(Protocol):
    """Counts them."""

    def take(self, client: str, most_of_client: int, most: int) -> Full | None:
        """None when there is room for one more, which counts until `give_back`. client: "" may have all."""
        ...

    def has_room(self, client: str, most_of_client: int, most: int) -> bool:
        """Whether `take` would find room at this moment."""
        ...

    def give_back(self, client: str) -> None:
        """There is one less."""
        ...


class OwnCounts:
    """Of this process alone. Used on the event loop only."""

    def __init__(self) -> None:
        self.held: defaultdict[str, int] = defaultdict(int)
        self.total = 0

    def take(self, client: str, most_of_client: int, most: int) -> Full | None:
        """As HeldCounts says."""
        full = self._full(client, most_of_client, most)
        if full is None:
            self.held[client] += 1
            self.total += 1
        return full

    def has_room(self, client: str, most_of_client: int, most: int) -> bool:
        """As HeldCounts says."""
        return self._full(client, most_of_client, most) is None

    def give_back(self, client: str) -> None:
        """As HeldCounts says."""
        self.total -= 1
        self.held[client] -= 1
        if not self.held[client]:
            del self.held[client]

    def _full(self, client: str, most_of_client: int, most: int) -> Full | None:
        if client and self.held.get(client, 0) >= most_of_client:
            return Full.CLIENT
        return Full.ALL if self.total >= most else None


class SharedCounts:
    """Of all workers. In its place a key has the number in all, then that of each worker."""

    def __init__(self, table: SharedTable, worker: int, room: int) -> None:
        """worker: counted from 1. room: how many there may be in this process."""
        self._table = table
        self._worker = worker
        self._room = room
        self._own = 0

    def take(self, client: str, most_of_client: int, most: int) -> Full | None:
        """As HeldCounts says."""
        with self._table.hold(client):
            if client and self._table.find(client)[0] >= most_of_client:
                return Full.CLIENT
            if self._own >= self._room or self._table.find(_ALL)[0] >= most:
                return Full.ALL
            self._add(client, 1)
        return None

    def has_room(self, client: str, most_of_client: int, most: int) -> bool:
        """As HeldCounts says. It holds nothing, as a beacon asks: another worker may change the number meanwhile."""
        if self._own >= self._room or self._table.first_of(_ALL) >= most:
            return False
        return not client or self._table.first_of(client) < most_of_client

    def give_back(self, client: str) -> None:
        """As HeldCounts says."""
        with self._table.hold(client):
            self._add(client, -1)

    def _add(self, client: str, number: int) -> None:
        self._own += number
        for key in {client, _ALL}:
            numbers = self._table.find(key)
            numbers[0] += number
            numbers[self._worker] += number
