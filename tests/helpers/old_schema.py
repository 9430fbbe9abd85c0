"""Databases as earlier versions have left them."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

import core

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
