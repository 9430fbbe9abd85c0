"""The mark beside a SQLite file that was found damaged: while it lies there, no process uses the file.

The collector writes it. It goes when the file was restored, or when another one lies there that was checked.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from core.private_file import open_private
from core.sqlite_fault import DamagedFile


class DamageMark(NamedTuple):
    """found: what is damaged, in SQLite's words. state: of the file when all of it was checked, "" before."""

    found: str
    state: str


def mark_of(file: Path) -> Path:
    """Where the mark of this database's file lies."""
    return file.with_name(f"{file.name}.damaged")


def read_mark(file: Path) -> DamageMark | None:
    """The file's mark; None without one."""
    try:
        found, _, state = mark_of(file).read_text(errors="replace").partition("\n")
    except FileNotFoundError:
        return None
    except OSError:
        return DamageMark("", "")  # it is there, and of another user
    return DamageMark(found.strip(), state.strip())


def set_mark(file: Path, found: str, state: str = "") -> None:
    """Mark the file; on a full disk without a word, which is a mark too."""
    path = mark_of(file)
    written = open_private(str(path), os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    try:
        with suppress(OSError):
            os.write(written, f"{' '.join(found.split())}\n{state}\n".encode())
    finally:
        os.close(written)


def clear_mark(file: Path) -> None:
    """The file is sound."""
    mark_of(file).unlink(missing_ok=True)


def refuse_marked(file: Path) -> None:
    """Raises DamagedFile while the mark lies there."""
    if mark_of(file).exists():
        mark = read_mark(file)
        raise DamagedFile(file, mark.found if mark else "")


def state_of(file: Path) -> str:
    """What changes when the file is written to, or another one lies there; "" without a file."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return ""
    return f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns}"
