"""A write on trial: while commits fail, it finds out whether they work again before a visitor has to."""

from __future__ import annotations

from sqlalchemy import Engine, delete
from sqlmodel import col

from core.database import insert_into, writing
from core.tables import Backlog

TRY_EVERY = 2.0
"""Seconds between two trials."""

TRIAL_BYTES = 262_144
"""As much as some 40 beacons write (own): what is left of a full disk, or of SQLite's log, takes a row that
only changes, and not what visitors send."""

_NAME = "trial"


def try_to_write(engine: Engine) -> None:
    """Write so many bytes, and delete them. Raises what the database raises."""
    with writing(engine) as db:
        row = insert_into(db, Backlog).values(name=_NAME, position="0" * TRIAL_BYTES)
        db.execute(row.on_conflict_do_nothing())
    with writing(engine) as db:
        db.execute(delete(Backlog).where(col(Backlog.name) == _NAME))
