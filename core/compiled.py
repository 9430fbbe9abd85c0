"""SQL that is compiled once, and on SQLite run by the driver itself: for what every batch of the writer runs.

SQLAlchemy takes several times as long around a statement as SQLite takes for it: with batches of 58 hits more than
a quarter of the writer's time without its commits. On Postgres the driver and the network take most of it.
SQLAlchemy's events do not tell of such statements, but of their faults, which are raised as those of any other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine
from sqlalchemy.sql import ClauseElement


def compile_for(database: Connection | Engine, statement: ClauseElement) -> str:
    """The text for its driver, with positional parameters: question marks, or %s."""
    dialect = database.dialect
    kind: Any = type(dialect)  # of its own module: that of the other kind of database is not loaded
    style = "format" if dialect.name == "postgresql" else "qmark"
    return str(statement.compile(dialect=kind(paramstyle=style)))


def run_each(db: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Run the statement with each of these rows of parameters; how many rows of the table it has changed."""
    driver = db.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        try:
            return driver.executemany(statement, rows).rowcount
        except sqlite3.Error as fault:
            _raise_as_usual(db, statement, fault)
    parameters = rows[0] if len(rows) == 1 else list(rows)  # psycopg takes a pipeline for a list
    return db.exec_driver_sql(statement, parameters).rowcount


def find_value(db: Connection, statement: str, parameters: tuple[Any, ...] = ()) -> Any:
    """The first column of the first row that it finds; None without one."""
    driver = db.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        try:
            found = driver.execute(statement, parameters).fetchone()
        except sqlite3.Error as fault:
            _raise_as_usual(db, statement, fault)
        return None if found is None else found[0]
    return db.exec_driver_sql(statement, parameters).scalar()


def _raise_as_usual(db: Connection, statement: str, fault: sqlite3.Error) -> NoReturn:
    """As SQLAlchemy raises it, whose listeners hear of it: by them a damaged file is noticed, and named."""
    db._handle_dbapi_exception(fault, statement, None, None, None)  # pyright: ignore[reportPrivateUsage]
