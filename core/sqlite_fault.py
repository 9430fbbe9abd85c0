"""What SQLite says went wrong, what cures a damaged file, and a file that nobody may use."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from glob import escape
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

RESTORE = "restore a backup: python -m core restore FILE"
"""What cures a damaged database."""

_RESCUED = ".rescued-"
_DAMAGES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY_CODE = 0xFF
"""The bits of SQLite's error codes that say what happened; the others give details."""


class UnusableFile(SQLAlchemyError):
    """The database's file is nothing to read from or to write to; the text names it, and the cure."""


class DamagedFile(UnusableFile):
    """It was found damaged. found: in SQLite's words."""

    def __init__(self, file: Path, found: str) -> None:
        said = f" ({found})" if found else ""
        super().__init__(
            f"The database is damaged: {file}{said}. Nothing is recorded or shown until you {RESTORE}"
        )


class MissingFile(UnusableFile):
    """There is no file, and nobody may make one."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"The database's file is gone: {file}. {_cure(file)}")


class NoFile(UnusableFile):
    """There is none, and this process has never seen one."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"There is no database at {file}: start the collector once: python -m collector. If there was one "
            f"before, put it back first, or {RESTORE}"
        )


class ForeignFile(UnusableFile):
    """Something else lies where the database was. found: what."""

    def __init__(self, file: Path, found: str) -> None:
        super().__init__(f"The database's file was replaced: {file} is {found}. {_cure(file)}")


def rescued_at(file: Path, date: str) -> Path:
    """Where what a deleted file held is saved, for a date that sorts as text."""
    return file.with_name(f"{file.name}{_RESCUED}{date}")


def rescued_copies(file: Path) -> Sequence[Path]:
    """What was saved of deleted files, the newest last."""
    return sorted(file.parent.glob(f"{escape(file.name)}{_RESCUED}*"))


def _cure(file: Path) -> str:
    if saved := rescued_copies(file):
        return f"What it held was saved: python -m core restore {saved[-1]}"
    return f"Put yours back, or {RESTORE}"


def sqlite_code(fault: BaseException) -> int:
    """What went wrong, as SQLite's primary result code (`sqlite3.SQLITE_BUSY`); 0 for other faults."""
    return getattr(getattr(fault, "orig", fault), "sqlite_errorcode", 0) & _PRIMARY_CODE


def is_damage(fault: BaseException) -> bool:
    """Whether SQLite says that its file is damaged, or is no database at all."""
    return sqlite_code(fault) in _DAMAGES
