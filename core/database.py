"""The database: one way to open it, to read from it and to write to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from glob import escape
from importlib import import_module
from pathlib import Path
from time import monotonic, sleep
from typing import Any, cast

from sqlalchemy import (
    Connection,
    Dialect,
    Engine,
    ExceptionContext,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import SQLAlchemyError

from core.damage_mark import mark_of, set_mark
from core.disk_fault import DATABASE_FILE
from core.open_file import ANY_FILE, FileRule, note_file, note_log, refuse_lost, refuse_lost_commit
from core.postgres import forget_notices, open_postgres, send_notices
from core.private_file import create_private_folder
from core.sqlite_fault import is_damage, sqlite_code
from core.write_attempt import WriteAttempt

BUSY_TIMEOUT = 15
"""Seconds that a SQLite writer waits for another one, unless it has less patience."""

BUSY_LOOK = 0.002
"""Seconds between two tries of a SQLite writer to take the write lock. SQLite itself tries only ten
times a second after a long wait, and a writer that commits batch after batch leaves it no gap: with
a saturated collector, an agent's message waited for seconds."""

READING_CACHE = 2_000
"""KiB of pages that a SQLite connection may keep in memory, as SQLite has it. The file's own pages are in
the system's cache anyway; each connection that kept 32 MB of them made the collector grow for hours."""

WRITING_CACHE = 16_000
"""KiB for a connection that has written: a batch changes pages all over the indexes, and what does not
fit is written to the log before its time."""

DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error, OSError)
"""What is raised when the database is down, broken or out of reach."""


def open_database(url: str, rule: FileRule = ANY_FILE) -> Engine:
    """An engine for a SQLite file or a Postgres server; nothing is connected to yet.

    rule: which file may be opened.
    """
    return _open_sqlite(url, rule) if is_sqlite(url) else open_postgres(url)


def is_sqlite(url: str) -> bool:
    """Whether the URL names a SQLite file rather than a Postgres database."""
    return make_url(url).get_backend_name() == "sqlite"


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for Postgres."""
    file = make_url(url).database
    return Path(file) if file and is_sqlite(url) else None


def files_of(file: Path) -> Sequence[Path]:
    """The file of a SQLite database and what lies beside it: its log, its lock, the copies of it."""
    return [each for each in file.parent.glob(f"{escape(file.name)}*") if each.is_file()]


def own_files(file: Path) -> Sequence[Path]:
    """Where the parts of a SQLite database are, of those that exist just now and of the others."""
    ends = ("", "-journal", "-wal", "-shm", ".lock")
    return [*(file.with_name(f"{file.name}{end}") for end in ends), mark_of(file)]


@contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """A connection in one consistent snapshot, for queries only.

    On Postgres that takes REPEATABLE READ: by default each statement sees a newer state.
    """
    with engine.connect().execution_options(is_snapshot=True) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, attempt: WriteAttempt | None = None) -> Generator[Connection]:
    """A connection in a transaction that is committed at the end, undone on an exception.

    On SQLite it takes the write lock at once (BEGIN IMMEDIATE): a transaction that begins to write
    after it has read fails without waiting when another one has written meanwhile.
    With an attempt, the database waits no longer than its time, and what was given up is undone:
    that raises TimeoutError, or OperationalError when the database has waited in vain. UnusableFile:
    it was committed into a file that was deleted or replaced meanwhile, so it counts as not done.
    """
    with engine.connect().execution_options(writes=True, attempt=attempt) as connection:
        forget_notices(connection)
        with connection.begin():
            yield connection
            if attempt is not None:
                attempt.begin_commit()
        refuse_lost_commit(connection)
        send_notices(connection)


def database_version(connection: Connection) -> str:
    """The database's name and version: "SQLite 3.40.1", "Postgres 16.2"."""
    if connection.dialect.name == "sqlite":
        return f"SQLite {connection.exec_driver_sql('SELECT sqlite_version()').scalar_one()}"
    return f"Postgres {connection.exec_driver_sql('SHOW server_version').scalar_one()}"


def database_sign(engine: Engine) -> None:
    """Return once the database has answered the smallest question that waits for whatever stops a reader.

    Raises DATABASE_ERRORS. On SQLite it looks into the file: a constant would need nothing of it.
    """
    statement = "SELECT 1 FROM sqlite_master LIMIT 1" if is_sqlite(str(engine.url)) else "SELECT 1"
    with reading(engine) as connection:
        connection.exec_driver_sql(statement).all()


def insert_into(connection: Connection, table: Any) -> Any:
    """An insert that knows `on_conflict_do_nothing` and `on_conflict_do_update` of its database."""
    return dialect_module(connection.dialect).insert(table)


def dialect_module(dialect: Dialect) -> Any:
    """SQLAlchemy's module for this kind of database. Only that of the one in use is loaded: Postgres' takes 4 MB."""
    return import_module(f"sqlalchemy.dialects.{dialect.name}")


def mark_damage(engine: Engine, fault: BaseException | None) -> None:
    """Mark SQLite's file when SQLite says that it is damaged: from then on no process uses it."""
    if fault is None or not is_damage(fault):
        return
    file = sqlite_file(str(engine.url))
    if file and not mark_of(file.resolve()).exists():
        set_mark(file.resolve(), str(getattr(fault, "orig", fault)))


def empty_log(engine: Engine, within: float = 0.0) -> bool:
    """Whether SQLite's log is empty now: all of it is in the file, and its old bytes are gone.

    It waits for readers and writers no longer than so many seconds, else for none: while one is in its
    way, what can be moved into the file is, and the log stays. Only the collector, or who holds its lock
    (core/serving_lock.py), may call this.
    """
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={round(within * 1000)}")
        try:
            is_busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT * 1000}")
    return not is_busy


def _open_sqlite(url: str, rule: FileRule) -> Engine:
    file = sqlite_file(url)
    if file:
        create_private_folder(file.parent)
    engine = create_engine(
        url,
        hide_parameters=True,  # they hold visitors' text, and errors are logged
        pool_use_lifo=True,  # the writer gets its own connection back, its page cache still warm
        connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False},
    )
    _follow_file(engine, rule)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", _name_file)
    return engine


def _follow_file(engine: Engine, rule: FileRule) -> None:
    def open_file(_dialect: Any, record: Any, arguments: Any, _options: Any) -> None:
        note_file(rule, record, arguments[0])

    def use_file(_connection: Any, record: Any, _proxy: Any) -> None:
        refuse_lost(rule, record)

    def note_fault(context: ExceptionContext) -> None:
        mark_damage(engine, context.original_exception)

    event.listen(engine, "do_connect", open_file)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "checkout", use_file)
    if rule.only:  # who serves the file says whether it is sound
        event.listen(engine, "handle_error", note_fault)


def _name_file(context: ExceptionContext) -> None:
    """Who tells a person of the fault (core/disk_fault.py) says which file it is about."""
    fault, engine = context.original_exception, context.engine
    if isinstance(fault, sqlite3.Error) and engine is not None:
        setattr(fault, DATABASE_FILE, engine.url.database)


def _prepare_sqlite(connection: Any, record: Any) -> None:
    """Only the collector checkpoints, by hand: see `collector/writing/checkpoints.py`."""
    connection.isolation_level = None
    connection.create_function("lower", 1, _lower, deterministic=True)
    if connection.execute("PRAGMA page_count").fetchone() == (0,):
        # Before the first page: later it takes a VACUUM. By it core/freed_space.py can give space back.
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # Not every SQLite's default: no deleted text stays.
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA mmap_size=0")
    connection.execute(f"PRAGMA cache_size=-{READING_CACHE}")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    note_log(record)


def _lower(text: str | None) -> str | None:
    """In lower case, as on Postgres; SQLite's own `lower` knows ASCII only."""
    return None if text is None else text.lower()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("writes", False):
        connection.exec_driver_sql("BEGIN")
        return
    attempt: WriteAttempt | None = options.get("attempt")
    # On the plain driver: SQLAlchemy takes 100 µs to run a PRAGMA, which the driver runs in 2.
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    if "has_written" not in connection.info:
        driver.execute(f"PRAGMA cache_size=-{WRITING_CACHE}")
        connection.info["has_written"] = True
    latest = monotonic() + (attempt.remaining if attempt else BUSY_TIMEOUT)
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while not _takes_turn(connection, driver, is_last=monotonic() >= latest):
            sleep(BUSY_LOOK)
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT * 1000}")


def _takes_turn(connection: Connection, driver: sqlite3.Connection, *, is_last: bool) -> bool:
    """Whether this connection may write now. Raises OperationalError at its last try.

    SQLAlchemy's own faults hold themselves: hundreds a second of them were left to Python's collector of garbage.
    """
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as fault:
        if sqlite_code(fault) == sqlite3.SQLITE_BUSY and not is_last:
            return False
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # what is wrong is named and noted there
    return True
