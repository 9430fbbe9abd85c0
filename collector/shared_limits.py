"""What several workers of one collector count together, so that a limit holds for all of them."""

from __future__ import annotations

from msgspec import Struct

from collector.shared_table import SharedTable

_BUCKETS = 131_072
_CLIENTS = 65_536
"""Places: four times as many as there are connections, or streams, by default."""


class SharedLimits(Struct):
    """beacons, calls: the requests of an address. streams, listeners, connections: those that are open."""

    beacons: SharedTable
    calls: SharedTable
    streams: SharedTable
    listeners: SharedTable
    connections: SharedTable

    def forget_worker(self, worker: int) -> None:
        """What it had open has ended with it. worker: counted from 1."""
        self.streams.take_out(worker)
        self.listeners.take_out(worker)
        self.connections.take_out(worker)


def shared_limits(workers: int) -> SharedLimits:
    """Those of so many workers."""
    return SharedLimits(
        SharedTable(_BUCKETS, 2),
        SharedTable(_BUCKETS, 2),
        SharedTable(_CLIENTS, 1 + workers, locks=1),
        SharedTable(_CLIENTS, 1 + workers, locks=1),
        SharedTable(_CLIENTS, 1 + workers, locks=1),
    )
