"""What waits for the writer, and the longest of its transactions."""

from __future__ import annotations

from collector.writing.write_load import WriteLoad


def test_longest_transaction_is_told_once():
    load = WriteLoad(lambda: 0)
    for seconds in (0.01, 1.2344, 0.2):
        load.committed(seconds)
    assert [load.take_longest(), load.take_longest()] == [1234, 0]
