"""The schema's version: the collector upgrades it, everybody else only checks it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from core.database import is_sqlite, reading, writing

_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 7_226_001
"""The key of Postgres' advisory lock: two collectors that start at once upgrade one by one."""


class SchemaError(Exception):
    """The database's schema is not the one that this version reads and writes."""


def upgrade_schema(engine: Engine) -> None:
    """Create the tables, or bring them to this version."""
    with writing(engine) as connection:
        if not is_sqlite(str(engine.url)):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
        _refuse_newer(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check_schema(engine: Engine) -> None:
    """Return when the schema is this version's; else raise SchemaError with the cure."""
    with reading(engine) as connection:
        revision = _revision(connection)
        if revision is None:
            raise SchemaError(
                "The database has no tables yet: start the collector once: python -m collector"
            )
        if revision != _head():
            _refuse_newer(connection)
            raise SchemaError(
                "The database is of an older version: "
                "restart the collector, it upgrades the tables: python -m collector"
            )


def _refuse_newer(connection: Connection) -> None:
    revision = _revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise SchemaError(
            f"The database is of a newer version ({revision}): "
            "install that version of Visitor Monitor, or restore a backup"
        )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _head() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
