"""Databases as earlier versions have left them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

import core

SCHEMAS = Path(__file__).parents[1] / "fixtures" / "schemas"
RELEASED = tuple(sorted({file.name.partition(".")[0] for file in SCHEMAS.glob("*.sql")}))
"""The revisions of which tests/fixtures/schemas/ has the tables."""

OLD_ROWS = (
    "INSERT INTO site (id, key, name, domains, accepts_null_origin, time_zone, tracking_enabled,"
    " context_rules, created_at) VALUES (7, 'shop', 'Shop', '[]', false, 'UTC', true,"
    """ '[{"pattern":"/%D1%87%D0%B0%D0%B9/*","context":"Product"}]', 1)""",
    "INSERT INTO visit_count (site_id, starts_at, visits) VALUES (7, 900000, 3)",
    "INSERT INTO salt (day, value) VALUES ('2026-11-22', 'x')",
)


def make_first_version(connection: Connection) -> None:
    """The tables of the very first version, with rows."""
    upgrade(connection, "0001")
    for row in OLD_ROWS:
        connection.execute(text(row))


def load_released(connection: Connection, revision: str) -> None:
    """The tables of a version as they were when it was released, with two rows in each."""
    database = "sqlite" if connection.dialect.name == "sqlite" else "postgres"
    text = (SCHEMAS / f"{revision}.{database}.sql").read_text(encoding="utf-8")
    for statement in _statements(text):
        connection.exec_driver_sql(statement.replace("%", "%%"))


def upgrade(connection: Connection, revision: str) -> None:
    """Bring the tables up to this revision."""
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Take the tables back to this revision."""
    command.downgrade(_config(connection), revision)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(core.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _statements(text: str) -> Iterator[str]:
    """One by one, without those that begin and end the dump's own transaction."""
    statement = ""
    for line in text.splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            if statement not in ("BEGIN TRANSACTION;\n", "COMMIT;\n"):
                yield statement
            statement = ""
