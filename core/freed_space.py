"""SQLite's file shrinks: what was deleted leaves free pages in it, and the disk gets those back in bites."""

from __future__ import annotations

from contextlib import closing
from typing import cast

from sqlalchemy import Connection, Engine

from core.database import reading, writing

KEPT_FREE = 8_000_000
"""Bytes of free pages that stay in the file: what the next visits fill (own: some 5,000 visits)."""

GIVEN_BACK_FROM = 4 * KEPT_FREE
"""Bytes of free pages from which on they are given back: less comes and goes with each day's retention."""

_INCREMENTAL = 2
"""What PRAGMA auto_vacuum says of a file that can give back pages without being rewritten."""


def can_give_back(engine: Engine) -> bool:
    """Whether the file gives back pages without being rewritten; that of an earlier version does so once an
    upgrade, or the rewrite after a visitor was forgotten, has converted it."""
    if engine.dialect.name != "sqlite":
        return False
    with reading(engine) as db:
        return _pragma(db, "auto_vacuum") == _INCREMENTAL


def spare_bytes(engine: Engine) -> int:
    """The bytes of free pages above those that are kept."""
    with reading(engine) as db:
        return max(_pragma(db, "freelist_count") * _pragma(db, "page_size") - KEPT_FREE, 0)


def give_back(engine: Engine, pages: int) -> int:
    """Give the disk so many free pages; returns by how many bytes the file is shorter.

    It is shorter for others once the log is in the file.
    """
    with writing(engine) as db:
        before, size = _pragma(db, "page_count"), _pragma(db, "page_size")
        with closing(db.connection.cursor()) as cursor:
            # Python's sqlite3 takes one step of a statement without columns: one page.
            for _ in range(pages):
                cursor.execute("PRAGMA incremental_vacuum(1)")
        return (before - _pragma(db, "page_count")) * size


def _pragma(db: Connection, name: str) -> int:
    return cast(int, db.exec_driver_sql(f"PRAGMA {name}").scalar_one())
