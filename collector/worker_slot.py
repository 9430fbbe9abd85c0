"""What a worker has of its collector: its number, and what it shares with the other processes."""

from __future__ import annotations

import socket

from msgspec import Struct

from collector.metrics import Gauge
from collector.shared_limits import SharedLimits
from collector.shared_numbers import SharedNumbers

WRITER_ROW = 0
"""The writer's row of the shared numbers; those of the workers follow."""


class WorkerSlot(Struct):
    """numbers: of all processes. row: this worker's. control: by it the parent speaks to the worker. limits: where
    there are more workers, what they count together."""

    numbers: SharedNumbers
    row: int
    control: socket.socket
    limits: SharedLimits | None = None

    def of_writer(self, gauge: Gauge) -> float:
        """What the writer has noted last."""
        return self.numbers.row(WRITER_ROW)[gauge]
