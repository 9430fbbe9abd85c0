"""SQLite's log on the disk: what was committed without waiting for it is kept from then on, whatever becomes of the machine.

SQLite itself syncs its log within each commit, while its one writer waits. Apart from the commit the same takes as
long, but the next transaction is written meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from sqlalchemy import Engine

from core.database import empty_log, sqlite_file
from core.open_file import log_of

EMPTIES_WITHIN = 0.25
"""Seconds for which readers are waited for, where the log has to be emptied because it could not be synced."""

_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter


class LogSync:
    """Of one database; on Postgres a commit is on the disk by itself, and nothing is left to do."""

    def __init__(self, engine: Engine) -> None:
        file = sqlite_file(str(engine.url))
        self._engine = engine
        self._log = log_of(file.resolve()) if file else None
        self._is_doubtful = False

    @property
    def can_run_aside(self) -> bool:
        """Whether it takes time in which another thread may write."""
        return self._log is not None and not self._is_doubtful

    def run(self) -> None:
        """Return once all that is committed is on the disk.

        Raises OSError, or what the database raises, where that is not certain. A sync that has failed once says nothing
        the next time: the system may have dropped what it could not write. So from then on nothing counts
        until the log was moved into the file.
        """
        if self._log is None:
            return
        if not self._is_doubtful:
            try:
                _sync_file(self._log)
                return
            except OSError:
                self._is_doubtful = True
        if not empty_log(self._engine, EMPTIES_WITHIN):
            raise OSError(f"{self._log} could not be synced, and is in use")
        self._is_doubtful = False


def _sync_file(path: os.PathLike[str]) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        _sync(file)
    finally:
        os.close(file)
