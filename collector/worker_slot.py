"""What a worker has of its collector: its number, and what it shares with the other processes."""

from __future__ import annotations

import socket

from msgspec import Struct

from collector.metrics import Gauge
from collector.shared_numbers import SharedNumbers

WRITER_ROW = 0
"""The writer's row of the shared numbers; those of the workers follow."""


class WorkerSlot(Struct):
    """numbers: of all processes. row: this worker's. control: by it the parent speaks to the worker."""

    numbers: SharedNumbers
    row: int
    control: socket.socket

    def writer_began(self) -> float:
        """Since when the writer is at what it does; 0 while it waits."""
        return self.numbers.row(WRITER_ROW)[Gauge.BEGAN]
