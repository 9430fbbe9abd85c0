"""The database: one way to open it, to read from it and to write to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from core.write_attempt import WriteAttempt

BUSY_TIMEOUT = 15
"""Seconds that a SQLite writer waits for another one, unless it has less patience."""

BUSY_LOOK = 0.002
"""Seconds between two tries of a SQLite writer to take the write lock. SQLite itself tries only ten
times a second after a long wait, and a writer that commits batch after batch leaves it no gap: with
a saturated collector, an agent's message waited for seconds."""

PAGE_CACHE = 32_768
"""KiB of pages that a SQLite connection may keep in memory: it takes them only as it needs them."""

CONNECT_TIMEOUT = 5
STATEMENT_TIMEOUT = 10
"""Seconds after which Postgres ends a statement."""

DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error, OSError)
"""What is raised when the database is down, broken or out of reach."""

VISITS_LOCK = 7_226_002
"""The key of Postgres' advisory lock: one writer of visits at a time, as SQLite has it by itself."""

_PRIMARY_CODE = 0xFF
"""The bits of SQLite's error codes that say what happened; the others give details."""

_POSTGRES_OPTIONS = " ".join(
    f"-c {name}={seconds * 1000}"
    for name, seconds in {
        "statement_timeout": STATEMENT_TIMEOUT,
        "lock_timeout": STATEMENT_TIMEOUT,
        "idle_in_transaction_session_timeout": STATEMENT_TIMEOUT,
    }.items()
)
_POSTGRES_KEEPALIVES = {
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def open_database(url: str) -> Engine:
    """An engine for a SQLite file or a Postgres server; nothing is connected to yet."""
    return _open_sqlite(url) if is_sqlite(url) else _open_postgres(url)


def is_sqlite(url: str) -> bool:
    """Whether the URL names a SQLite file rather than a Postgres database."""
    return make_url(url).get_backend_name() == "sqlite"


@contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """A connection in one consistent snapshot, for queries only.

    On Postgres that takes REPEATABLE READ: by default each statement sees a newer state.
    """
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, attempt: WriteAttempt | None = None) -> Generator[Connection]:
    """A connection in a transaction that is committed at the end, undone on an exception.

    On SQLite it takes the write lock at once (BEGIN IMMEDIATE): a transaction that begins to write
    after it has read fails without waiting when another one has written meanwhile.
    With an attempt, the database waits no longer than its time, and what was given up is undone:
    that raises TimeoutError, or OperationalError when the database has waited in vain.
    """
    options = {"writes": True, "patience": attempt.remaining if attempt else BUSY_TIMEOUT}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        if attempt is not None:
            _limit_statements(connection, attempt)
        yield connection
        if attempt is not None:
            attempt.begin_commit()


def lock_visits(connection: Connection) -> None:
    """Wait until no other transaction writes visits or chats; on SQLite `writing` has waited."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({VISITS_LOCK})")


def insert_into(connection: Connection, table: Any) -> Any:
    """An insert that knows `on_conflict_do_nothing` and `on_conflict_do_update` of its database."""
    is_postgres = connection.dialect.name == "postgresql"
    return postgresql.insert(table) if is_postgres else sqlite.insert(table)


def _limit_statements(connection: Connection, attempt: WriteAttempt) -> None:
    """On Postgres no statement of the transaction outlasts the attempt; 0 would mean no limit."""
    if connection.dialect.name == "postgresql":
        milliseconds = max(int(attempt.remaining * 1000), 1)
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")


def _open_sqlite(url: str) -> Engine:
    file = make_url(url).database
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        hide_parameters=True,  # they hold visitors' text, and errors are logged
        pool_use_lifo=True,  # the writer gets its own connection back, its page cache still warm
        connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Only the collector checkpoints, by hand: see `collector/writing/housekeeping.py`."""
    connection.isolation_level = None
    connection.create_function("lower", 1, _lower, deterministic=True)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA mmap_size=0")
    connection.execute(f"PRAGMA cache_size=-{PAGE_CACHE}")
    connection.execute("PRAGMA wal_autocheckpoint=0")


def _lower(text: str | None) -> str | None:
    """In lower case, as on Postgres; SQLite's own `lower` knows ASCII only."""
    return None if text is None else text.lower()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("writes", False):
        connection.exec_driver_sql("BEGIN")
        return
    latest = monotonic() + options.get("patience", BUSY_TIMEOUT)
    connection.exec_driver_sql("PRAGMA busy_timeout=0")
    try:
        while not _takes_turn(connection, is_last=monotonic() >= latest):
            sleep(BUSY_LOOK)
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT * 1000}")


def _takes_turn(connection: Connection, *, is_last: bool) -> bool:
    """Whether this connection may write now. Raises OperationalError at its last try."""
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as fault:
        code = getattr(fault.orig, "sqlite_errorcode", 0)
        if code & _PRIMARY_CODE != sqlite3.SQLITE_BUSY or is_last:
            raise
        return False
    return True


def _open_postgres(url: str) -> Engine:
    return create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT,
            "options": _POSTGRES_OPTIONS,
            "keepalives": 1,
            **_POSTGRES_KEEPALIVES,
        },
    )
