"""SQLite's file, written anew: what was deleted stays in no corner of it.

`secure_delete` zeroes a row where it stood when it was deleted. But when a full page is split, SQLite moves
rows to another page and leaves their old bytes in the free part of the first: of 300 visits that were deleted
among 1,500 that had grown, the words of 14 were still in the file. Only VACUUM leaves none. While it runs,
nothing else is written.
"""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import Connection, Engine, delete, select
from sqlmodel import col

from core.database import insert_into, writing
from core.random_id import random_id
from core.tables import Backlog

REWRITTEN_UP_TO = 256 * 1024**2
"""Bytes of a file that the collector rewrites by itself: 1 to 13 s, by the disk, for which beacons wait. Of a
larger one the owner chooses the hour."""

_NAME = "rewritten_file"


def ask_for_rewrite(db: Connection) -> None:
    """Leave it to the running collector to rewrite the file; on Postgres nothing happens."""
    if db.dialect.name != "sqlite":
        return
    asked = insert_into(db, Backlog).values(name=_NAME, position=random_id())
    db.execute(
        asked.on_conflict_do_update(
            index_elements=["name"], set_={"position": asked.excluded.position}
        )
    )


def asked_rewrite(db: Connection) -> str:
    """The newest request, "" without one; each has a name of its own."""
    return db.execute(select(col(Backlog.position)).where(_IS_ASKED)).scalar_one_or_none() or ""


def rewrite_file(engine: Engine, asked: str) -> None:
    """Rewrite the file, after which this request is done; one that was made meanwhile stays."""
    vacuum(engine)
    with writing(engine) as db:
        db.execute(delete(Backlog).where(_IS_ASKED, col(Backlog.position) == asked))


def vacuum(engine: Engine) -> None:
    """Rewrite the file, which can then give back space without that (core/freed_space.py)."""
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
        cursor.execute("VACUUM")


def rewrites_itself(db: Connection) -> bool:
    """Whether the running collector rewrites the file when it is asked to."""
    return 0 < file_size(db) <= REWRITTEN_UP_TO


def file_size(db: Connection) -> int:
    """The bytes of SQLite's file; 0 on Postgres."""
    if db.dialect.name != "sqlite":
        return 0
    pages, size = (
        db.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
    )
    return pages * size


_IS_ASKED = col(Backlog.name) == _NAME
