"""Looks whether the served SQLite file is still there, sound and ours alone, and ends the serving when not."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

from collector.served_file import ServedFile
from core.damage_mark import set_mark
from core.file_check import find_damage
from core.serving_lock import LockHeld
from core.sqlite_fault import UnusableFile

LOOK_EVERY = 2.0
"""Seconds between two looks, and for so long at most two collectors may serve whose lock file was removed."""

_STOPS_WITHIN = 5.0
_SERVES_YET = 0.2
_log = logging.getLogger("collector.file")


class FileWatch:
    """Calls `on_fault` once, from a thread of its own, when the file cannot be served any longer.

    is_serving: whether the file is served by now.
    """

    def __init__(
        self, served: ServedFile, is_serving: Callable[[], bool], on_fault: Callable[[], None]
    ) -> None:
        self._served = served
        self._is_serving = is_serving
        self._on_fault = on_fault
        self._stop = Event()
        self._checking: sqlite3.Connection | None = None
        self._threads = [Thread(target=self._look, name="file watch", daemon=True)]
        if served.is_unchecked:
            self._threads.append(Thread(target=self._check, name="file check", daemon=True))

    def start(self) -> None:
        """Begin to look; a large file that was left by a process that was killed is read beside serving."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; a check that runs is broken off, and is made at the next start."""
        self._stop.set()
        if self._checking:
            with suppress(sqlite3.ProgrammingError):
                self._checking.interrupt()
        for thread in self._threads:
            thread.join(_STOPS_WITHIN)

    def _look(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            try:
                self._served.look()
            except (LockHeld, UnusableFile) as fault:
                _log.error("database_file_lost fault='%s'", fault)
                self._on_fault()
                return
            except OSError as fault:
                _log.warning("database_file_not_seen fault='%s'", fault)

    def _check(self) -> None:
        # Not before: what begins to serve would fail by damage that is marked meanwhile.
        while not self._is_serving():
            if self._stop.wait(_SERVES_YET):
                return
        try:
            found = find_damage(self._served.file, self._note_connection)
        except sqlite3.Error as fault:
            if not self._stop.is_set():
                _log.warning("database_file_not_checked fault='%s'", fault)
            return
        if found:
            set_mark(self._served.file, found)
        else:
            self._served.note_sound()
            _log.info("database_file_checked")

    def _note_connection(self, connection: sqlite3.Connection) -> None:
        self._checking = connection
