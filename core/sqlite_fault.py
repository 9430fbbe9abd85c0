"""What SQLite says went wrong, and what cures a damaged file."""

from __future__ import annotations

import sqlite3

RESTORE = "restore a backup: python -m core restore FILE"
"""What cures a damaged database."""

_DAMAGES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY_CODE = 0xFF
"""The bits of SQLite's error codes that say what happened; the others give details."""


def sqlite_code(fault: BaseException) -> int:
    """What went wrong, as SQLite's primary result code (`sqlite3.SQLITE_BUSY`); 0 for other faults."""
    return getattr(getattr(fault, "orig", fault), "sqlite_errorcode", 0) & _PRIMARY_CODE


def is_damage(fault: BaseException) -> bool:
    """Whether SQLite says that its file is damaged, or is no database at all."""
    return sqlite_code(fault) in _DAMAGES
