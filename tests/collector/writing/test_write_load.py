"""What waits for the writer, and the longest of its transactions."""

from __future__ import annotations

from collector.writing.write_load import WriteLoad
from collector.writing.write_queue import WriteQueue


def test_longest_transaction_is_told_once():
    load = WriteLoad(WriteQueue())
    for seconds in (0.01, 1.2344, 0.2):
        load.committed(seconds)
    assert [load.take_longest(), load.take_longest()] == [1234, 0]
