"""An open database, and rows to put into it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from core.database import open_database, writing
from core.tables import Site, Table, Visit


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


@pytest.fixture
def site(now: datetime) -> Site:
    """The site 7, whose days are those of Berlin; not stored."""
    return Site(id=7, key="shop", name="Shop", time_zone="Europe/Berlin", created_at=now)


@pytest.fixture
def store(database: Engine) -> Callable[..., None]:
    """store(*rows) commits rows of any table."""

    def store(*rows: Table) -> None:
        with writing(database) as connection:
            for row in rows:
                connection.execute(insert(type(row)), [row.model_dump()])

    return store


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
