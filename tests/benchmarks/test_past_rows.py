"""The past of a benchmark's database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.history import fill
from core.database import open_database, reading
from tests.helpers.postgres_server import PostgresServer

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
VISITS = 2_000
TABLES = ("visit", "visit_count", "visit_sequence", "page", "page_view_row", "visit_span_row")
OF_CHATS = ("visit_change_row", "conversation", "message")


@pytest.fixture
def empty_postgres_url(postgres: PostgresServer) -> Any:
    postgres.execute("CREATE DATABASE past_rows")
    yield postgres.url("past_rows")
    postgres.execute("DROP DATABASE past_rows WITH (FORCE)")


def test_past_is_the_same_on_both_databases(tmp_path: Path, empty_postgres_url: str) -> None:
    found = [rows_of(url) for url in (f"sqlite:///{tmp_path / 'past.db'}", empty_postgres_url)]
    assert found[0] == found[1]
    rows = found[0]
    assert len(rows["visit"]) == VISITS
    assert sum(row["uses"] for row in rows["page"]) == len(rows["page_view_row"])
    assert sum(row["visits"] for row in rows["visit_count"]) == VISITS
    assert len(rows["message"]) == sum(row["message_count"] for row in rows["conversation"])
    assert min(map(len, rows.values())) > 0


def rows_of(url: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table after it was filled, in one order on both databases."""
    fill(url, VISITS, 0, NOW)
    engine = open_database(url)
    with reading(engine) as db:
        found = {
            name: sorted(
                [dict(row) for row in db.exec_driver_sql(f"SELECT * FROM {name}").mappings()],
                key=lambda row: repr(sorted(row.items())),
            )
            for name in (*TABLES, *OF_CHATS)
        }
    engine.dispose()
    return found
