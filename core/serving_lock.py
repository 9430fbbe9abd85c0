"""One serving collector on one SQLite file: two would overtake each other's checkpoints."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from core.command_error import CommandError
from core.database import sqlite_file
from core.private_file import create_private, create_private_folder

ENDS_WITHIN = 5.0
"""Seconds that the processes of a collector may need to end after it was killed: their own transaction."""

_LOOKS_EVERY = 0.05


class LockHeld(Exception):
    """Another collector serves this database; the text says what to do. owner: its process."""

    def __init__(self, owner: str, file: Path) -> None:
        super().__init__(
            f"Another collector ({owner}) serves {file} already: stop it first, "
            "or use Postgres (MONITOR_DATABASE_URL), which several collectors may share."
        )
        self.owner = owner


class SecondName(CommandError):
    """The database's file has a second name; the text says what to do."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file} has a second name (a hard link): under that one another collector could serve it, and "
            "damage it. Delete the second name, or copy the file and use the copy."
        )


class ServingLock:
    """FILE.lock beside a SQLite file, held by this process.

    was_left: whether the process that held it before has ended without giving it back, killed or by a
    power cut. It stays so until somebody has checked the file, and says so here.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._path = Path(f"{file}.lock")
        self._held, written = self._take()
        self.was_left = bool(written)

    def keep(self) -> None:
        """Look whether the lock file still lies there, and take it anew when it does not. Raises LockHeld."""
        if not _lies_at(self._held, self._path):
            held, _ = self._take()
            os.close(self._held)
            self._held = held

    def give_back(self) -> None:
        """Leave no process in the file: whoever takes it next knows that all was brought to an end."""
        if not self.was_left:
            os.ftruncate(self._held, 0)
        self.close()

    def close(self) -> None:
        """Hold it no more in this process; whoever was forked off it, or has forked it, may yet do so."""
        os.close(self._held)

    def _take(self) -> tuple[int, str]:
        """The open file, with this process written into it, and what was in it before. Raises LockHeld."""
        latest = monotonic() + ENDS_WITHIN
        while True:
            create_private(self._path)
            held = os.open(self._path, os.O_RDWR)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(held)
                if _is_ending(self._path) and monotonic() < latest:
                    sleep(_LOOKS_EVERY)
                    continue
                raise LockHeld(_owner(self._path), self._file) from None
            if _lies_at(held, self._path):
                written = os.read(held, 64).decode(errors="replace").strip()
                os.ftruncate(held, 0)
                self._write_owner(held)
                return held, written
            os.close(held)

    def _write_owner(self, held: int) -> None:
        try:
            os.pwrite(held, f"{os.getpid()}\n".encode(), 0)
        except OSError as fault:
            fault.filename = str(self._file)  # by it core/disk_fault.py says which disk is full
            raise


@contextmanager
def serving_lock(database_url: str) -> Generator[ServingLock | None]:
    """Hold the lock of a SQLite database; Postgres needs none. Raises LockHeld and SecondName.

    It lies beside the file itself, whichever links lead there. The system lets go of it when the process
    ends, however it ends; the lock file stays.
    """
    found = sqlite_file(database_url)
    if found is None:
        yield None
        return
    file = found.resolve()
    create_private_folder(file.parent)
    lock = ServingLock(file)
    try:
        refuse_second_name(file)
        yield lock
    finally:
        lock.give_back()


def is_lock_free(file: Path) -> bool:
    """Whether nobody serves this SQLite file just now."""
    try:
        held = os.open(f"{file.resolve()}.lock", os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(held)
    return True


def refuse_second_name(file: Path) -> None:
    """Raises SecondName of a hard link: SQLite names its log after the name that it was given, so there
    would be two logs."""
    if file.is_file() and file.stat().st_nlink > 1:
        raise SecondName(file)


def _lies_at(held: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(held), path.stat())
    except FileNotFoundError:
        return False


def _is_ending(path: Path) -> bool:
    """Whether who took the lock has ended already, and only what it has started holds it yet."""
    try:
        os.kill(int(path.read_text()), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return False


def _owner(path: Path) -> str:
    try:
        pid = path.read_text().strip()
    except OSError:
        pid = ""
    return f"process {pid}" if pid else "of unknown process"
