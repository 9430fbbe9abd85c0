"""The past of a database, made by the database itself: visits that are over, with all that belongs to them."""

# ruff: noqa: S608 (statements are made of the names and numbers here only)
from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
from sqlalchemy import make_url

from benchmarks.past_statements import Past, PastStatements
from core.database import sqlite_file

_AT_ONCE = 500_000
"""Visits that one transaction makes."""

RunStatement = Callable[[str], object]


def make_past(database_url: str, past: Past) -> None:
    """Store the visits, and what is counted of them, in a database with its tables and sites.

    Nobody else may use it meanwhile; of SQLite a crash would leave a damaged file.
    """
    with _opened(database_url) as (run, is_sqlite):
        made = PastStatements(past, is_sqlite)
        for statement in made.pages():
            run(statement)
        for first in range(1, past.visits + 1, _AT_ONCE):
            run("BEGIN")
            for statement in made.rows(first, min(first + _AT_ONCE - 1, past.visits)):
                run(statement)
            run("COMMIT")
        run("BEGIN")
        for statement in made.counts():
            run(statement)
        run("COMMIT")


@contextmanager
def _opened(database_url: str) -> Iterator[tuple[RunStatement, bool]]:
    """What runs a statement, and whether it is SQLite."""
    file = sqlite_file(database_url)
    if file is None:
        with _postgres(database_url) as run:
            yield run, False
        return
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-3000000"):
            db.execute(f"PRAGMA {pragma}").fetchone()
        yield db.execute, True
        db.execute("PRAGMA journal_mode=WAL").fetchone()


@contextmanager
def _postgres(database_url: str) -> Iterator[RunStatement]:
    """The keys and indexes of large tables are made at the end, as a restored dump makes them."""
    url = make_url(database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:

        def run(statement: str) -> None:
            connection.execute(statement.encode())

        run("SET maintenance_work_mem = '1GB'")
        dropped = connection.execute(_DROPPED.encode()).fetchall()
        for drop, _ in dropped:
            run(drop)
        yield run
        for _, make in dropped:
            run(make)
        run("VACUUM ANALYZE")  # as autovacuum does, sooner or later


_LARGE = "('visit'::regclass, 'page_view_row'::regclass, 'visit_span_row'::regclass)"
_DROPPED = f"""
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE contype = 'p' AND conrelid IN {_LARGE}
UNION ALL
SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
FROM pg_index WHERE NOT indisprimary AND indrelid IN {_LARGE}"""
"""Of each key and index, the statement that drops it and the one that makes it again."""
