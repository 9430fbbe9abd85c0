"""An open database, and rows to put into it."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from core.database import open_database, reading, writing
from core.tables import Site, Table, View, Visit
from tests.helpers.stored_rows import store_row

_numbers = count(1)


@pytest.fixture
def now() -> datetime:
    """A Sunday in November, 12:34:56.789 UTC."""
    return datetime(2026, 11, 22, 12, 34, 56, 789_000, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """A database with the tables and nothing in them, once on SQLite and once on Postgres."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def module_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A database with the tables, for all tests of a module: see `db`."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        file = shutil.copy(template, tmp_path_factory.mktemp("module") / "monitor.db")
        engine = open_database(f"sqlite:///{file}")
        yield engine
        engine.dispose()
        return
    server = request.getfixturevalue("postgres")
    template = request.getfixturevalue("postgres_template")
    name = f"module_{next(_numbers)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    engine = open_database(server.url(name))
    yield engine
    engine.dispose()
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def db(module_database: Engine) -> Iterator[Connection]:
    """A transaction on empty tables, undone after the test; once on SQLite and once on Postgres."""
    with module_database.connect().execution_options(writes=True) as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture
def site(now: datetime) -> Site:
    """The site 7, in the time zone of Berlin; not stored."""
    return Site(id=7, key="shop", name="Shop", time_zone="Europe/Berlin", created_at=now)


@pytest.fixture
def store(database: Engine) -> Callable[..., None]:
    """store(*rows) commits rows of any table."""

    def store(*rows: Table | View) -> None:
        with writing(database) as connection:
            for row in rows:
                store_row(connection, row)

    return store


@pytest.fixture
def plan_of(sqlite_url: str) -> Iterator[Callable[..., str]]:
    """plan_of(question, ...): SQLite's query plan of the question's statements."""
    database = open_database(sqlite_url)
    statements: list[Any] = []
    event.listen(database, "before_cursor_execute", lambda *call: statements.append(call[2:4]))

    def plan_of(question: Callable[..., Any], *arguments: Any) -> str:
        with reading(database) as connection:
            statements.clear()
            question(connection, *arguments)
            plans = [
                connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                for statement, parameters in list(statements)
            ]
            return " ".join(row.detail for plan in plans for row in plan)

    yield plan_of
    database.dispose()


@pytest.fixture
def make_visit(now: datetime) -> Callable[..., Visit]:
    """make_visit(id, ...): a visit of site 7 that began 5 minutes ago and is active and in view."""

    def make_visit(visit_id: str = "visit", **columns: Any) -> Visit:
        return Visit(
            **{
                "site_id": 7,
                "id": visit_id,
                "started_at": now - timedelta(minutes=5),
                "last_seen_at": now - timedelta(seconds=10),
                "last_activity_at": now - timedelta(seconds=30),
                "in_view_until": now + timedelta(seconds=80),
                "page_count": 1,
                **columns,
            }
        )

    return make_visit
