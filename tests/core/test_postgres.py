"""A transaction on Postgres begins with its limits, and leaves nothing to the next one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from core.database import open_database, reading, writing
from core.postgres import is_pooled
from core.write_attempt import WriteAttempt

LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    opened = open_database(postgres_url)
    yield opened
    opened.dispose()


@pytest.mark.parametrize("opens", [reading, writing])
@pytest.mark.parametrize("limit", LIMITS)
def test_every_transaction_has_limits(engine: Engine, opens: Any, limit: str) -> None:
    for _ in range(7):  # psycopg prepares what was run five times
        with opens(engine) as db:
            assert db.exec_driver_sql(f"SHOW {limit}").scalar() == "10s"


@pytest.mark.parametrize("limit", LIMITS)
def test_nothing_is_left_in_the_session(engine: Engine, limit: str) -> None:
    with writing(engine) as db:
        db.exec_driver_sql("SELECT 1")
    with closing(engine.raw_connection()) as raw:
        connection: Any = raw.driver_connection
        assert connection.execute(f"SHOW {limit}").fetchone() == ("0",)


def test_statement_ends_with_the_attempt(engine: Engine) -> None:
    attempt = WriteAttempt()
    attempt.begin(0.3)
    with pytest.raises(OperationalError, match="statement timeout"), writing(engine, attempt) as db:
        db.exec_driver_sql("SELECT pg_sleep(60)")


def test_reading_sees_one_snapshot(engine: Engine) -> None:
    with reading(engine) as db:
        before = db.exec_driver_sql("SELECT count(*) FROM salt").scalar()
        with writing(engine) as other:
            other.exec_driver_sql("INSERT INTO salt (day, value) VALUES ('2026-11-16', 'x')")
        assert db.exec_driver_sql("SELECT count(*) FROM salt").scalar() == before


def test_writing_sees_what_was_committed_before_each_statement(engine: Engine) -> None:
    with writing(engine) as db:
        assert db.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"


def test_transaction_is_undone_on_an_exception(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(engine) as db:
        db.exec_driver_sql("CREATE TABLE undone (n int)")
        raise ZeroDivisionError
    with reading(engine) as db:
        assert db.exec_driver_sql("SELECT to_regclass('undone')").scalar() is None


def test_direct_connection_prepares_its_statements(engine: Engine) -> None:
    with writing(engine) as db:
        for _ in range(7):
            db.exec_driver_sql("SELECT %s::int", (1,))
        prepared = db.exec_driver_sql("SELECT statement FROM pg_prepared_statements").scalars()
        assert any("::int" in each for each in prepared)
    with closing(engine.raw_connection()) as raw:
        assert not is_pooled(raw)
