"""A Postgres server: how it is opened, and how a transaction begins there.

Nothing depends on the session: between a program and its server may stand a connection pooler, such as
PgBouncer in transaction mode, which gives each transaction another session.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, PoolProxiedConnection, create_engine, event

from core.write_attempt import WriteAttempt

if TYPE_CHECKING:
    import psycopg  # 6 MB, which nobody needs whose database is a file

STATEMENT_TIMEOUT = 10
"""Seconds after which Postgres ends a statement, a wait for a lock, and a transaction that does nothing."""

_CONNECT_TIMEOUT = 5
_KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
_IS_POOLED = "monitor_is_pooled"
"""Under this name a pooled connection keeps whether its server is behind a pooler of its own."""

_NOTICES = "monitor_notices"
"""Under this name a connection keeps the channels that its transaction is to notify."""

_UNPREPARED = {"no_parameters": True}
"""As an execution option: the statement goes to the server by `_run_unprepared`."""


def open_postgres(url: str) -> Engine:
    """An engine for a Postgres server; nothing is connected to yet."""
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT,
            "autocommit": True,  # _begin says BEGIN
            **_KEEPALIVES,
        },
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "do_execute_no_params", _run_unprepared)
    return engine


def is_pooled(connection: PoolProxiedConnection) -> bool:
    """Whether a pooler gives it a session of the server for each transaction: none that lasts."""
    return connection.info[_IS_POOLED]


def run_together(connection: Connection, *statements: str) -> None:
    """Run these statements, which have no parameters, in one round trip; their results are not read."""
    connection.exec_driver_sql("; ".join(statements), execution_options=_UNPREPARED)


def notify(connection: Connection, channel: str) -> None:
    """Have who listens on the channel woken once this transaction of `writing` is committed; elsewhere
    nothing happens. Who listens looks once in a while anyway, so a notice may be lost."""
    if connection.dialect.name == "postgresql":
        connection.info.setdefault(_NOTICES, set[str]()).add(channel)


def forget_notices(connection: Connection) -> None:
    """Forget the notices of a transaction that was undone."""
    connection.info.pop(_NOTICES, None)


def send_notices(connection: Connection) -> None:
    """Send what `notify` has noted, after the commit.

    Within the transaction, Postgres would let no two of them commit at once: for that a notice takes a lock of
    the whole server, and keeps it until the commit is on the disk.
    """
    channels: set[str] = connection.info.pop(_NOTICES, set())
    if not channels:
        return
    import psycopg

    driver = connection.connection.driver_connection
    if isinstance(driver, psycopg.Connection):
        with suppress(psycopg.Error):  # the commit has worked, whatever becomes of this
            driver.execute(
                "; ".join(f"NOTIFY {each}" for each in sorted(channels)).encode(), prepare=False
            )


def _prepare(connection: psycopg.Connection[Any], record: Any) -> None:
    """A statement that one session has prepared, the next one does not know."""
    record.info[_IS_POOLED] = _has_another_process(connection)
    if record.info[_IS_POOLED]:
        connection.prepare_threshold = None


def _has_another_process(connection: psycopg.Connection[Any]) -> bool:
    """Whether another process of the server answers than the one that was named when it was opened.

    A pooler names none, as many will answer, and makes a number up for who cancels. Also true of
    PgBouncer in session mode, where what is done without costs little.
    """
    answering = connection.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    return answering != (connection.info.backend_pid,)


def _begin(connection: Connection) -> None:
    """In one round trip, with the limits of this transaction: those of a session would go to others."""
    options = connection.get_execution_options()
    isolation = " ISOLATION LEVEL REPEATABLE READ" if options.get("is_snapshot", False) else ""
    attempt: WriteAttempt | None = options.get("attempt")
    patience = min(attempt.remaining, STATEMENT_TIMEOUT) if attempt else STATEMENT_TIMEOUT
    run_together(
        connection,
        f"BEGIN{isolation}",
        f"SET LOCAL statement_timeout = {_milliseconds(patience)}",
        f"SET LOCAL lock_timeout = {_milliseconds(STATEMENT_TIMEOUT)}",
        f"SET LOCAL idle_in_transaction_session_timeout = {_milliseconds(STATEMENT_TIMEOUT)}",
    )


def _milliseconds(seconds: float) -> int:
    """At least one: 0 would mean no limit."""
    return max(int(seconds * 1000), 1)


def _run_unprepared(cursor: psycopg.Cursor[Any], statement: str, _context: Any) -> bool:
    """True: it is done. Several statements in one cannot be prepared, as psycopg does at the sixth time."""
    cursor.execute(statement.encode(), prepare=False)
    return True
