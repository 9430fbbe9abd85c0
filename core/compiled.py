"""SQL that is compiled once, for what every batch of the writer runs.

To build a statement and to look up what it compiles to takes SQLAlchemy several times as long as the statement takes
SQLite. The text is run by `Connection.exec_driver_sql`.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.sql import ClauseElement


def compile_for(database: Connection | Engine, statement: ClauseElement) -> str:
    """The text for its driver, with positional parameters: question marks, or %s."""
    is_postgres = database.dialect.name == "postgresql"
    dialect = psycopg_dialect(paramstyle="format") if is_postgres else sqlite.dialect()
    return str(statement.compile(dialect=dialect))
