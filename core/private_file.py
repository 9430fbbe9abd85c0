"""Files that hold what visitors did and said: only their owner may read them, from the first moment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700
_OF_OTHERS = 0o077
_ROOT = 0


def create_private(file: Path) -> None:
    """An empty file; one that exists is left as it is.

    What SQLite puts beside it (-wal, -shm, -journal) gets the mode and the owner of the database's file.
    One that root makes, by a command of the owner's, belongs to the folder's owner, whose collector opens it.
    """
    with suppress(FileExistsError):
        made = open_private(str(file), os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        try:
            if os.geteuid() == _ROOT:
                folder = file.parent.stat()
                os.fchown(made, folder.st_uid, folder.st_gid)
        finally:
            os.close(made)


def open_private(file: str, flags: int) -> int:
    """A file descriptor, as `opener` of `open` gives one: a file that is made is private."""
    return os.open(file, flags, FILE_MODE)


def create_private_folder(folder: Path) -> None:
    """The folder, with those above it; one that exists is left as it is."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def tighten(files: Iterable[Path]) -> Sequence[Path]:
    """Take from others what they may do with the files; returns those where that is not possible."""
    return [file for file in files if not _is_private(file)]


def _is_private(file: Path) -> bool:
    with suppress(FileNotFoundError):  # a log of SQLite's goes when nobody has it open
        if file.stat().st_mode & _OF_OTHERS:
            with suppress(PermissionError):
                file.chmod(FILE_MODE)
            return not file.stat().st_mode & _OF_OTHERS
    return True
