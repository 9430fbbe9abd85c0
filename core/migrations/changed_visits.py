"""Visits that somebody changes while they are moved: triggers on the old tables note which.

So an earlier version may go on, or be started again, and nothing that it writes is lost.
"""

# ruff: noqa: S608 (statements are made of the names below only)
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, inspect, text

NAME = "changed_visit"
"""The table of the notes; the names of triggers and functions begin with it."""

_SOURCES = (
    ("visit", "id"),
    ("page_view", "visit_id"),
    ("visit_span", "visit_id"),
    ("conversation", "visit_id"),
)
"""The tables that are read, and which column of each names the visit; 0001 has no conversations."""


class _Event(NamedTuple):
    name: str
    rows: tuple[str, ...]


_EVENTS = (
    _Event("insert", ("NEW",)),
    _Event("update", ("OLD", "NEW")),
    _Event("delete", ("OLD",)),
)

_COUNT = {
    "sqlite": f"SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{NAME}_%'",
    "postgresql": "SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'D'"
    f" AND tgname LIKE '{NAME}_%' AND tgrelid IN ("
    + ", ".join(f"to_regclass('{table}')" for table, _ in _SOURCES)
    + ")",
}


def watched_tables(db: Connection) -> Sequence[str]:
    """Those that are read, as far as they are there."""
    return [table for table, _ in _SOURCES if inspect(db).has_table(table)]


def is_watched(db: Connection) -> bool:
    """Whether every change since the first visit was moved is noted."""
    found = db.execute(text(_COUNT[db.dialect.name])).scalar_one()
    return found == len(watched_tables(db)) * len(_EVENTS)


def watch(db: Connection) -> None:
    """Note from now on each visit of which anything changes."""
    unwatch(db)
    db.execute(
        text(f"CREATE TABLE {NAME} (site_id INTEGER, id VARCHAR, PRIMARY KEY (site_id, id))")
    )
    for table in watched_tables(db):
        _watch_table(db, table)


def watch_new(db: Connection, table: str) -> None:
    """Note changes of a table too that was made after the others were watched; nothing where they are not."""
    if inspect(db).has_table(NAME):
        _watch_table(db, table)


def unwatch(db: Connection) -> None:
    """Note nothing more. Triggers on Postgres go with their functions; on SQLite with their tables too."""
    for table, _ in _SOURCES:
        for event in _EVENTS:
            name = f"{NAME}_{table}_{event.name}"
            if db.dialect.name == "postgresql":
                db.execute(text(f"DROP FUNCTION IF EXISTS {name}() CASCADE"))
            else:
                db.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
    db.execute(text(f"DROP TABLE IF EXISTS {NAME}"))


def _watch_table(db: Connection, table: str) -> None:
    for statement in _statements(table, db.dialect.name):
        db.exec_driver_sql(statement)


def _statements(table: str, database: str) -> Iterator[str]:
    column = dict(_SOURCES)[table]
    for event in _EVENTS:
        name = f"{NAME}_{table}_{event.name}"
        when = f"CREATE TRIGGER {name} AFTER {event.name} ON {table} FOR EACH ROW"
        notes = " ".join(_note(row, column, database) for row in event.rows)
        if database == "postgresql":
            yield (
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
                f" AS $$ BEGIN {notes} RETURN NULL; END $$"
            )
            yield f"{when} EXECUTE FUNCTION {name}()"
        else:
            yield f"{when} BEGIN {notes} END"


def _note(row: str, column: str, database: str) -> str:
    """On SQLite without ON CONFLICT: there the one of the statement that fires the trigger is obeyed."""
    if database == "postgresql":
        return f"INSERT INTO {NAME} VALUES ({row}.site_id, {row}.{column}) ON CONFLICT DO NOTHING;"
    return (
        f"INSERT INTO {NAME} SELECT {row}.site_id, {row}.{column} WHERE NOT EXISTS ("
        f"SELECT 1 FROM {NAME} WHERE site_id = {row}.site_id AND id = {row}.{column});"
    )
