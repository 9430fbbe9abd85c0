"""Writing the log without ever waiting for whoever reads it.

A pipe that nobody reads is full after 64 KiB, and the next line blocks the thread that logs: the
collector's writer, or its event loop. So a thread of its own writes, and what it cannot is dropped and
counted.
"""

from __future__ import annotations

import logging
import os
import threading
from queue import SimpleQueue

MOST_WAITING = 10_000
"""Lines, some 2 MB."""

ENDS_WITHIN = 2.0
"""Seconds in which the last lines are written when the process ends."""


_PAUSE = threading.Event()


class LogHandler(logging.Handler):
    """Writes each record to a file descriptor, in the order in which they come, and never blocks."""

    def __init__(self, file: int) -> None:
        super().__init__()
        self._file = file
        self._lines = SimpleQueue[str | threading.Event]()  # a signal's handler may log, too
        self._dropped = 0
        self._start()
        os.register_at_fork(
            before=self._pause, after_in_parent=self._start, after_in_child=self._begin_anew
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Have the record written; where too many wait, it is dropped."""
        if self._lines.qsize() >= MOST_WAITING:
            self._dropped += 1
            return
        try:
            self._lines.put(self.format(record))
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Wait until what was logged before is written, but no longer than ENDS_WITHIN."""
        written = threading.Event()
        self._lines.put(written)
        written.wait(ENDS_WITHIN)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def _pause(self) -> None:
        """A process that has threads cannot be forked safely. What waits is written before, or left to its parent."""
        self._lines.put(_PAUSE)
        self._thread.join(ENDS_WITHIN)

    def _begin_anew(self) -> None:
        self._lines = SimpleQueue[str | threading.Event]()
        self._dropped = 0
        self._start()

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not _PAUSE:
            if isinstance(line, threading.Event):
                line.set()
                continue
            self._write(line)
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                self._write(self.format(_dropping(dropped)))

    def _write(self, line: str) -> None:
        rest = f"{line}\n".encode(errors="backslashreplace")
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            self._dropped += 1  # nobody reads any more, or the disk is full


def _dropping(count: int) -> logging.LogRecord:
    message = "log_lines_dropped count=%d cure='read what this process writes to stderr'"
    return logging.LogRecord("log", logging.WARNING, "", 0, message, (count,), None)
