"""Counting the days that are due, as the collector's housekeeping does."""

from sqlalchemy import Engine

from collector.writing.day_chore import LOOK_EVERY, DayChore
from collector.writing.write_load import WriteLoad


def count_days(engine: Engine, now: int) -> None:
    """Count every day that is due at `now`, in milliseconds."""
    chore = DayChore(engine, WriteLoad(lambda: 0), lambda: now)
    while chore.do() != LOOK_EVERY:
        pass
