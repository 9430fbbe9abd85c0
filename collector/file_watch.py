"""Looks whether the served SQLite file is still there, sound and ours alone."""

from __future__ import annotations

import logging
import signal
import sqlite3
from time import monotonic

from collector.child import Child
from collector.served_file import ServedFile
from core.damage_mark import set_mark
from core.file_check import find_damage
from core.serving_lock import LockHeld
from core.sqlite_fault import UnusableFile

LOOK_EVERY = 2.0
"""Seconds between two looks, and for so long at most two collectors may serve whose lock file was removed."""

_log = logging.getLogger("collector.file")


class FileWatch:
    """Of the parent of a collector's processes, which asks often; a look is made every LOOK_EVERY seconds.

    A large file that was left by a process that was killed is read beside serving, by a process of its own.
    """

    def __init__(self, served: ServedFile) -> None:
        self._served = served
        self._looked_at = monotonic()
        self._check: Child | None = None

    def __enter__(self) -> FileWatch:
        return self

    def __exit__(self, *_: object) -> None:
        """A check that runs is broken off, and is made at the next start."""
        if self._check:
            self._check.send(signal.SIGKILL)
            assert self._check.exit_code  # waits for its end
            self._check.forget()

    def begin(self) -> None:
        """The file is served by now: what begins to serve would fail by damage that is marked meanwhile."""
        self._served.hold()
        if self._served.is_unchecked:
            self._check = Child("file check", lambda _: _check(self._served))

    def is_lost(self) -> bool:
        """Whether the file cannot be served any longer, as far as the last look has seen."""
        self._note_check()
        if monotonic() - self._looked_at < LOOK_EVERY:
            return False
        self._looked_at = monotonic()
        try:
            self._served.look()
        except (LockHeld, UnusableFile) as fault:
            _log.error("database_file_lost fault='%s'", fault)
            return True
        except OSError as fault:
            _log.warning("database_file_not_seen fault='%s'", fault)
        return False

    def _note_check(self) -> None:
        if self._check and self._check.has_ended:
            if self._check.exit_code == 0:
                self._served.note_sound()
            self._check.forget()
            self._check = None


def _check(served: ServedFile) -> None:
    """In a process of its own, which ends with 0 when the file is sound."""
    served.let_go_in_child(False)
    try:
        found = find_damage(served.file)
    except sqlite3.Error as fault:
        _log.warning("database_file_not_checked fault='%s'", fault)
        raise SystemExit(1) from None
    if found:
        set_mark(served.file, found)
        raise SystemExit(1)
    _log.info("database_file_checked")
