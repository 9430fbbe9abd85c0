"""SQLite's log on the disk: what was committed without waiting for it is kept from then on, whatever becomes of the machine.

SQLite itself syncs its log within each commit, while its one writer waits. Apart from the commit the same takes as
long, but the next transaction is written meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from core.database import empty_log, sqlite_file
from core.open_file import inode_of, log_of

EMPTIES_WITHIN = 0.25
"""Seconds for which readers are waited for, where the log has to be emptied because it could not be synced."""

_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter


class LogSync:
    """Of one database; on Postgres a commit is on the disk by itself, and nothing is left to do.

    The log stays open from the first sync on: the system tells each open file once that something could not be
    written. One that is opened later would not hear of what SQLite, or another process, was told in between.
    """

    def __init__(self, engine: Engine) -> None:
        file = sqlite_file(str(engine.url))
        self._engine = engine
        self._log = log_of(file.resolve()) if file else None
        self._open: int | None = None
        self._is_doubtful = False

    @property
    def can_run_aside(self) -> bool:
        """Whether it takes time in which another thread may write."""
        return self._log is not None and not self._is_doubtful

    def try_once(self) -> bool:
        """Whether all that is committed is on the disk for certain; on any thread, while another one writes.

        A sync that has failed once says nothing the next time: the system may have dropped what it could not
        write. So from then on nothing counts until `run` has moved the log into the file.
        """
        if self._log is None:
            return True
        if not self._is_doubtful:
            try:
                _sync(self._open_log(self._log))
            except OSError:
                self._is_doubtful = True
        return not self._is_doubtful

    def run(self) -> None:
        """Return once all that is committed is on the disk; on the thread that writes only, as it may empty the log.

        Raises OSError, or what the database raises, where that is not certain.
        """
        if self.try_once():
            return
        if not empty_log(self._engine, EMPTIES_WITHIN):
            raise OSError(f"{self._log} could not be synced, and is in use")
        self._is_doubtful = False

    def close(self) -> None:
        """The log is synced no more."""
        if self._open is not None:
            os.close(self._open)
            self._open = None

    def _open_log(self, log: Path) -> int:
        """The log that lies there: SQLite makes a new one where nobody had the database open meanwhile."""
        if self._open is not None:
            found = os.fstat(self._open)
            if (found.st_dev, found.st_ino) == inode_of(log):
                return self._open
            self.close()
        self._open = os.open(log, os.O_RDONLY)
        return self._open
