"""Whether a SQLite file is sound, and ours: the whole of it is read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from core.command_error import first_line
from core.schema import is_newer
from core.sqlite_copy import revision_of
from core.sqlite_fault import is_damage

_NO_NEWS = "*** in database main ***"


def find_damage(file: Path) -> str:
    """What SQLite finds damaged in the file and its log, in its words; "" when they are sound.

    Some 0.5 s for 100 MB from memory, and no writer waits for it. Raises sqlite3.Error when the file cannot be read.
    """
    try:
        with closing(open_to_read(file)) as db:
            (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as fault:
        if not is_damage(fault):
            raise
        return first_line(fault)
    return "" if found == "ok" else first_line(found.replace(_NO_NEWS, ""))


def find_foreign(file: Path) -> str:
    """What a sound database is instead of one that this version can use; "" for one of ours."""
    with closing(open_to_read(file)) as db:
        revision = revision_of(db)
    if revision is None:
        return "no database of Visitor Monitor"
    return f"of a newer version ({revision})" if is_newer(revision) else ""


def open_to_read(file: Path) -> sqlite3.Connection:
    """A connection that changes nothing in the file."""
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
