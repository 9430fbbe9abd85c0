"""How a fault is named in the log: its text may quote what a visitor sent."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from core.database import DATABASE_ERRORS


def name_fault(fault: BaseException) -> str:
    """The fault's type, with what the database says of itself (full, locked, refused)."""
    if isinstance(fault, OperationalError | sqlite3.OperationalError):
        said = str(getattr(fault, "orig", None) or fault).strip().partition("\n")[0]
        return f"{type(fault).__name__}: {said}"
    return type(fault).__name__


def is_of_the_database(fault: Exception) -> bool:
    """Whether to try again later, rather than to look for the row that cannot be stored."""
    return isinstance(fault, DATABASE_ERRORS) and not isinstance(fault, DataError | IntegrityError)
