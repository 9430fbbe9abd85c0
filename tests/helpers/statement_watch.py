"""Tells tests of every statement that an engine of this process runs.

SQLAlchemy's events do not tell of those that SQLite's driver gets by itself (core/compiled.py): SQLite does, of each
row by itself, and with the values in its text.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, event

Look = Callable[[dict[Any, Any], str], None]
"""Gets what is known of the driver's connection, and the statement."""

_looks: list[Look] = []


@contextmanager
def watched_statements() -> Generator[list[str]]:
    """The statements that are run meanwhile, in their order."""
    seen: list[str] = []
    look = partial(_keep, seen)
    watch(look)
    try:
        yield seen
    finally:
        _looks.remove(look)


def watch(look: Look) -> None:
    """Have it called with each statement, before it is run."""
    _looks.append(look)


def _keep(seen: list[str], _info: dict[Any, Any], statement: str) -> None:
    seen.append(statement)


@event.listens_for(Engine, "engine_connect")
def _trace(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.set_trace_callback(partial(_tell, connection.info))


@event.listens_for(Engine, "before_cursor_execute")
def _look(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if connection.dialect.name != "sqlite":
        _tell(connection.info, statement)


def _tell(info: dict[Any, Any], statement: str) -> None:
    for look in list(_looks):
        look(info, statement)
