"""A log file that several runs of a process append to, cut before it is large.

The processes write to it themselves: no pipe is between, which would stop them when nobody reads it.
So it is copied and emptied, as a file that was renamed would still be written to.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MOST_BYTES = 10_000_000
KEPT = 5
"""Older ones of each log: NAME.log.1 is the newest."""

_LINE = 2_000
"""Bytes at the end that are looked at for the last line."""


class LogFile:
    """The file and its older ones, in a folder that is made when it is missing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)

    def open(self) -> int:
        """The descriptor of the file, to append to and to close; the file is made when it is missing."""
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def last_line(self) -> str:
        """What was written last, or ""."""
        lines = self.path.read_bytes()[-_LINE:].decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")

    def rotate_when_large(self) -> None:
        """Once it has MOST_BYTES, make it NAME.log.1, and drop the oldest.

        It is emptied also where the disk has no room for the copy, which raises OSError afterwards: the
        database needs the room more than the log does.
        """
        if self.path.stat().st_size < MOST_BYTES:
            return
        try:
            self._keep_copy()
        finally:
            os.truncate(self.path, 0)

    def _keep_copy(self) -> None:
        for number in range(KEPT - 1, 0, -1):
            if self._older(number).exists():
                self._older(number).replace(self._older(number + 1))
        with self.path.open("rb") as live, self._older(1).open("wb") as copy:
            shutil.copyfileobj(live, copy)

    def _older(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")
