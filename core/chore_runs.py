"""When the collector's chores last ran: by it a reader knows whether retention is kept."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from core.database import insert_into
from core.tables import ChoreRun


class ChoreName(StrEnum):
    """The chores of which it is recorded: the retention of visits, and that of what was said in chats."""

    VISITS = "visits"
    CHATS = "chats"


def record_chore_run(db: Connection, name: ChoreName, now: datetime, *, is_done: bool) -> None:
    """Record that the chore ran at `now`; is_done: it has nothing left to do."""
    done = {"done_at": now} if is_done else {}
    insert = insert_into(db, ChoreRun).values(name=name.value, ran_at=now, **done)
    db.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"ran_at": now, **done}))


def chore_runs(db: Connection) -> dict[str, ChoreRun]:
    """The last run of each chore that ever ran, by its name."""
    return {row["name"]: ChoreRun.of(row) for row in db.execute(select(ChoreRun)).mappings()}
