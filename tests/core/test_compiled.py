"""Statements that are compiled once say what they have done, and fail, as those that SQLAlchemy runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, bindparam, event, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from core.compiled import compile_for, find_value, run_each
from core.database import open_database, writing
from core.disk_fault import DATABASE_FILE
from core.tables import Table

SALT = Table.metadata.tables["salt"]
FIND = select(SALT.c.value).where(SALT.c.day == bindparam("wanted"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def salted(engine: Engine) -> Engine:
    """With two rows."""
    with writing(engine) as db:
        rows = insert(SALT).values(day=bindparam("of_day"), value=bindparam("of_value"))
        assert run_each(db, compile_for(db, rows), [("monday", "x"), ("tuesday", "y")]) == 2
    return engine


def test_value_is_found_and_none_where_there_is_no_row(salted: Engine) -> None:
    with writing(salted) as db:
        find = compile_for(db, FIND)
        assert find_value(db, find, ("tuesday",)) == "y"
        assert find_value(db, find, ("sunday",)) is None


def test_rows_that_are_not_there_are_not_counted_as_changed(salted: Engine) -> None:
    with writing(salted) as db:
        change = update(SALT).where(SALT.c.day == bindparam("of_day")).values(value=bindparam("to"))
        rows = [("z", "monday"), ("z", "sunday")]
        assert run_each(db, compile_for(db, change), rows) == 1


def test_row_that_the_table_refuses_is_a_fault_of_the_row(salted: Engine) -> None:
    with pytest.raises(IntegrityError), writing(salted) as db:
        insert_again = "INSERT INTO salt (day, value) VALUES ('monday', 'z')"
        run_each(db, insert_again, [()])


def test_listeners_hear_of_a_fault_of_sqlite(sqlite_url: str) -> None:
    """One of them notices that the file is damaged."""
    engine, heard = open_database(sqlite_url), list[BaseException | None]()
    event.listen(engine, "handle_error", lambda context: heard.append(context.original_exception))
    with writing(engine) as db:
        for call in (
            lambda: run_each(db, "DELETE FROM nowhere", [()]),
            lambda: find_value(db, "SELECT 1 FROM nowhere"),
        ):
            with pytest.raises(OperationalError) as raised:
                call()
            assert heard.pop() is raised.value.orig
    engine.dispose()


def test_fault_of_sqlite_names_its_file(sqlite_url: str) -> None:
    engine = open_database(sqlite_url)
    with writing(engine) as db:
        for call in (
            lambda: run_each(db, "DELETE FROM nowhere", [()]),
            lambda: find_value(db, "SELECT 1 FROM nowhere"),
        ):
            with pytest.raises(OperationalError) as raised:
                call()
            assert getattr(raised.value.orig, DATABASE_FILE) == engine.url.database
    engine.dispose()
