"""One serving collector on one SQLite file: two would overtake each other's checkpoints."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from core.database import sqlite_file
from core.private_file import create_private, create_private_folder


class LockHeld(Exception):
    """Another collector serves this database; the text says what to do. owner: its process."""

    def __init__(self, owner: str, file: Path) -> None:
        super().__init__(
            f"Another collector ({owner}) serves {file} already: stop it first, "
            "or use Postgres (MONITOR_DATABASE_URL), which several collectors may share."
        )
        self.owner = owner


@contextmanager
def serving_lock(database_url: str) -> Generator[None]:
    """Hold FILE.lock beside a SQLite database; Postgres needs none. Raises LockHeld.

    The system lets go of it when the process ends, however it ends; the file itself stays.
    """
    file = sqlite_file(database_url)
    if file is None:
        yield
        return
    path = Path(f"{file}.lock")
    create_private_folder(path.parent)
    create_private(path)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LockHeld(_owner(path), file) from None
        lock.truncate(0)
        try:
            os.write(lock.fileno(), f"{os.getpid()}\n".encode())
        except OSError as fault:
            fault.filename = str(file)  # by it core/disk_fault.py says which disk is full
            raise
        yield


def _owner(path: Path) -> str:
    pid = path.read_text().strip()
    return f"process {pid}" if pid else "of unknown process"
