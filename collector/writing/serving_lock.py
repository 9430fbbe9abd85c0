"""One serving collector on one SQLite file: two would overtake each other's checkpoints."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from core.database import is_sqlite


class LockHeld(Exception):
    """Another collector serves this database; the text says what to do."""


@contextmanager
def serving_lock(database_url: str) -> Generator[None]:
    """Hold FILE.lock beside a SQLite database; Postgres needs none. Raises LockHeld.

    The system lets go of it when the process ends, however it ends; the file itself stays.
    """
    file = make_url(database_url).database
    if not is_sqlite(database_url) or not file:
        yield
        return
    path = Path(f"{file}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LockHeld(
                f"Another collector ({_owner(path)}) serves {file} already: stop it first, "
                "or use Postgres (MONITOR_DATABASE_URL), which several collectors may share."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _owner(path: Path) -> str:
    pid = path.read_text().strip()
    return f"process {pid}" if pid else "of unknown process"
