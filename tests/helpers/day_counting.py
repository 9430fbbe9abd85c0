"""Counting the visits that are over by day, as the collector's housekeeping does."""

from sqlalchemy import Engine

from collector.writing.count_chore import COUNT_EVERY, CountChore
from collector.writing.write_load import WriteLoad


def count_days(engine: Engine, now: int) -> None:
    """Count every visit that is over at `now`, in milliseconds."""
    chore = CountChore(engine, WriteLoad(lambda: 0), lambda: now)
    while chore.do() != COUNT_EVERY:
        pass
