"""Numbers in memory that the processes of one collector share: made before they are forked."""

from __future__ import annotations

from collections.abc import Sequence
from mmap import mmap

_BYTES = 8


class SharedNumbers:
    """Rows of floating-point numbers, all 0 at first. A row has one writer; every process may read all of them."""

    def __init__(self, rows: int, columns: int) -> None:
        self._columns = columns
        self._numbers = memoryview(mmap(-1, rows * columns * _BYTES)).cast("d")

    def row(self, number: int) -> memoryview[float]:
        """One row, to read and to write."""
        return self._numbers[number * self._columns : (number + 1) * self._columns]

    def column(self, number: int) -> Sequence[float]:
        """The number of this column in each row, as it is now."""
        return self._numbers[number :: self._columns].tolist()
