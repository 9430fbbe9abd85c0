"""SQLite's log: moved into the file, emptied, and kept from growing, by the writer alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from shutil import disk_usage

from sqlalchemy import Engine

from collector.writing.log_hold import LogHold
from collector.writing.log_reader import log_readers, name_process
from core.database import empty_log, sqlite_file
from core.moment import from_milliseconds
from core.open_file import log_of

CHECKPOINT_EVERY = 5.0
"""Seconds; it moves what was committed from SQLite's log into its file."""

EMPTY_LOG_EVERY = 30.0
"""Seconds; it takes what was deleted out of SQLite's log, whose bytes a checkpoint alone leaves there."""

EMPTY_LOG_AGAIN_AFTER = 0.5
"""Seconds until the next try, when a reader was in its way. Readers are short, so few tries are needed."""

LOG_LIMIT = 32_000_000
"""Bytes of the log from which on it is emptied at once, rather than when it is due."""

SHARE_OF_DISK = 0.25
"""Of the room that there would be without the log: on a small disk it is emptied sooner. A log that has filled its
disk cannot be emptied any more, because what is moved into the file needs room there first."""

WAITS_FROM_TIMES = 2
"""From twice the limit on short readers are waited for: where they follow one another without a gap, the log
would never begin anew."""

WAITS_FOR = 0.25
"""Seconds for which they are waited for, and beacons wait as well."""

AGAIN_AFTER_SHARE = 0.25
"""Of the limit, by which the log has grown when it is tried again, since a reader was in its way: of the largest
some 1,000 beacons."""


class Checkpoints:
    """What is done about the log; nothing on Postgres."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        file = sqlite_file(str(engine.url))
        self._engine = engine
        self._clock = clock
        self._log = log_of(file.resolve()) if file else None
        self._tried_at_bytes = 0
        self.hold = LogHold(lambda: log_readers(file) if file else frozenset())

    @property
    def reader(self) -> str:
        """What holds the log back, as far as it can be seen; "" for nobody and for who is not seen."""
        names = filter(None, map(name_process, sorted(self.hold.readers)[:2]))
        return " or ".join(names)

    def move(self) -> float:
        """Passive: it never waits for a reader. No other thread or process checkpoints."""
        with closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            _, frames, moved = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self.hold.note(frames, moved, from_milliseconds(self._clock()))
        return CHECKPOINT_EVERY

    def empty(self) -> float:
        """So nothing that was deleted is in the log a minute later, and the log does not grow on."""
        return EMPTY_LOG_EVERY if empty_log(self._engine) else EMPTY_LOG_AGAIN_AFTER

    def keep_small(self) -> None:
        """Empty the log when it is large; after each batch and each chore, since a stat is cheap."""
        size = self.log_bytes
        limit = self._limit(size)
        if size < limit:
            self._tried_at_bytes = 0
        elif size >= self._tried_at_bytes + AGAIN_AFTER_SHARE * limit:
            self._tried_at_bytes = size
            empty_log(self._engine, WAITS_FOR if size >= WAITS_FROM_TIMES * limit else 0.0)

    @property
    def is_held(self) -> bool:
        """Whether the log is large although it was to be emptied: what can wait adds nothing to it."""
        size = self.log_bytes
        return size >= self._limit(size)

    def _limit(self, size: int) -> float:
        """Bytes from which on the log, which has so many now, is emptied."""
        if self._log is None:
            return LOG_LIMIT
        room = disk_usage(self._log.parent).free + size
        return min(LOG_LIMIT, SHARE_OF_DISK * room)

    @property
    def log_bytes(self) -> int:
        """The size of the log; 0 without one."""
        try:
            return self._log.stat().st_size if self._log else 0
        except OSError:
            return 0
