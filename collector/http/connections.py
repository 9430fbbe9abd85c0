"""The open connections: how many there may be, and how long each may keep us waiting."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from collector.http.deadline import Deadline
from collector.http.file_limit import room_for_connections
from collector.http.held_counts import Full, HeldCounts, OwnCounts, SharedCounts
from collector.http.refusal import Refusal
from collector.http.unread_answers import AnswerReader, UnreadAnswers
from collector.metrics import Gauge, Metrics
from collector.shared_table import SharedTable
from core.client import Clients
from core.settings import Settings
from core.visits.presence import LONGEST_PRESENCE

HEAD_WITHIN = 10.0
"""Seconds in which a head must have arrived: the first one from when the connection is there."""

BODY_WITHIN = 10.0
"""Seconds in which a body must have arrived (docs/beacon.md)."""

KEEP_ALIVE = int(LONGEST_PRESENCE.total_seconds()) + 15
"""Seconds that a connection may be silent: longer than a page is between two beacons, also when one is
late. Else each presence would open a connection, with TLS, that serves one beacon (own; nginx has 75 too)."""

LINGERS = 2.0
"""Seconds in which a peer that was refused may read why; to close at once would reset the connection."""

ANSWERS_READ_WITHIN = 1.0
"""Seconds in which answers must have been read when the collector stops."""

MOST_OF_ADDRESS = 512
"""Connections of one address, of IPv6 a network of 64 bits: hundreds of people may share one (offices, mobile
networks), and a browser has six at most. A trusted proxy, and whoever is on this machine, brings everybody's
visitors: those may have all."""

MOST_BESIDE_STREAMS = 10_000
"""Connections besides those of streams: some 10 kB each, 30 with a head that is never ended."""

_LOOK_EVERY = 0.5
_LOG_EVERY = 60.0
_CURES = {
    Refusal.FULL: "allow more open files (ulimit -Hn), or find out who holds them",
    Refusal.ADDRESS_FULL: "if this is your proxy, name it in MONITOR_TRUSTED_PROXIES",
}
_log = logging.getLogger("collector.connections")


def open_connections(
    settings: Settings, clients: Clients, metrics: Metrics, shared: SharedTable | None = None
) -> Connections:
    """Those of this process, counted in its metrics: as many as it may have open, besides its files.

    shared: where there are more workers, that of the connections of all of them.
    """
    most, room = settings.streams + MOST_BESIDE_STREAMS, room_for_connections()
    if shared is None:
        connections = Connections(min(most, room), clients, metrics, OwnCounts())
    else:
        counts = SharedCounts(shared, metrics.row_number, room)
        connections = Connections(most, clients, metrics, counts)
    metrics.watch(Gauge.CONNECTIONS, lambda: len(connections))
    return connections


class BoundedConnection(AnswerReader, Protocol):
    """What the collector may do with a connection."""

    @property
    def is_busy(self) -> bool:
        """Whether a request is answered that has arrived."""
        ...

    def refuse(self, refusal: Refusal) -> None:
        """Say why, and end."""
        ...

    def close(self) -> None:
        """End once everything is sent."""
        ...

    def abort(self) -> None:
        """End at once."""
        ...


class Connections:
    """Counts them and watches their deadlines, with one timer for all. Used on the event loop only."""

    def __init__(self, most: int, clients: Clients, metrics: Metrics, counts: HeldCounts) -> None:
        self.heads = Deadline[BoundedConnection](HEAD_WITHIN)
        self.bodies = Deadline[BoundedConnection](BODY_WITHIN)
        self.idle = Deadline[BoundedConnection](KEEP_ALIVE)
        self.lingering = Deadline[BoundedConnection](LINGERS)
        self.unread: UnreadAnswers[BoundedConnection] = UnreadAnswers()
        self._most = most
        self._clients = clients
        self._metrics = metrics
        self._counts = counts
        self._block_of: dict[BoundedConnection, str] = {}
        self._of_block: dict[str, dict[BoundedConnection, None]] = {}
        self._is_looking = False
        self._is_stopping = False
        self._untold: Counter[Refusal] = Counter()
        self._told_at: dict[Refusal, float] = {}

    def __len__(self) -> int:
        return len(self._block_of)

    def admit(self, connection: BoundedConnection, address: str) -> bool:
        """Whether it may stay. Where there is no room, one that is half-open or idle goes instead."""
        block = self._limited_block(address)
        if self._is_stopping:
            return False
        while full := self._counts.take(block, MOST_OF_ADDRESS, self._most):
            of_block = full is Full.CLIENT
            if not self._make_room(
                [*self._of_block.get(block, {})] if of_block else [*self._oldest()]
            ):
                self.count(Refusal.ADDRESS_FULL if of_block else Refusal.FULL)
                return False
        self._block_of[connection] = block
        if block:
            self._of_block.setdefault(block, {})[connection] = None
        self._look_later()
        return True

    def leave(self, connection: BoundedConnection) -> None:
        """It has ended."""
        block = self._block_of.pop(connection, None)
        if block is not None:
            self._counts.give_back(block)
        if block:
            of_block = self._of_block[block]
            of_block.pop(connection)
            if not of_block:
                del self._of_block[block]
        self.unread.end(connection)

    def count(self, refusal: Refusal) -> None:
        """One more was refused or ended for this reason: a line of the log each minute, however many."""
        self._metrics.refused_connection(refusal)
        self._untold[refusal] += 1
        now = asyncio.get_running_loop().time()
        if refusal is Refusal.SILENT or now - self._told_at.get(refusal, -_LOG_EVERY) < _LOG_EVERY:
            return
        self._told_at[refusal] = now
        number = self._untold.pop(refusal)
        if refusal in _CURES:
            _log.warning(
                "connections_refused reason=%s count=%d cure='%s'", refusal, number, _CURES[refusal]
            )
        else:
            _log.info("connections_refused reason=%s count=%d", refusal, number)

    def stop(self) -> None:
        """Take no more, and end those whose peers do not read their answers."""
        if not self._is_stopping:
            self._is_stopping = True
            asyncio.get_running_loop().call_later(ANSWERS_READ_WITHIN, self._end_unread)

    def _limited_block(self, address: str) -> str:
        """The network that counts as one client; "" for one that may have all connections."""
        client = self._clients.find(address, None)
        is_here = client.address is not None and client.address.is_loopback
        return "" if client.has_trusted_peer or is_here else client.block

    def _oldest(self) -> Iterable[BoundedConnection]:
        """The first half-open one, else the first idle one."""
        for deadline in (self.heads, self.idle):
            for connection in deadline:
                yield connection
                return

    def _make_room(self, connections: Iterable[BoundedConnection]) -> bool:
        """End the oldest of them that is not busy; False when all are."""
        for connection in connections:
            if not connection.is_busy:
                self.count(Refusal.MADE_ROOM)
                connection.abort()
                self.leave(connection)
                return True
        return False

    def _look_later(self) -> None:
        if not self._is_looking:
            self._is_looking = True
            asyncio.get_running_loop().call_later(_LOOK_EVERY, self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in self.heads.overdue(now):
            connection.refuse(Refusal.SLOW_HEAD)
        for connection in self.bodies.overdue(now):
            connection.refuse(Refusal.SLOW_BODY)
        for connection in self.idle.overdue(now):
            connection.close()
        for connection in self.lingering.overdue(now):
            connection.abort()
        for connection in self.unread.overdue(now):
            self.count(Refusal.UNREAD)
            connection.abort()
        self._is_looking = False
        if self._block_of:
            self._look_later()

    def _end_unread(self) -> None:
        for connection in self.unread.unread():
            connection.abort()
