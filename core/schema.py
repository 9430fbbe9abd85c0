"""The schema's version: the collector upgrades it, everybody else only checks it.

Alembic is imported where tables are made or changed: it takes 10 MB and 0.1 s (own), and no process that serves
needs it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from core.database import empty_log, is_sqlite, reading, writing

_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 7_226_001
"""The key of Postgres' advisory lock: two collectors that start at once upgrade one by one."""


_HAS_TABLE = {
    "sqlite": text("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"),
    "postgresql": text("SELECT to_regclass('alembic_version') IS NOT NULL"),
}


class SchemaError(Exception):
    """The database's schema is not the one that this version reads and writes."""


class NewerSchemaError(SchemaError):
    """It is a newer one."""

    exit_code = os.EX_CONFIG
    """What a service manager knows by that a restart is no cure."""


def upgrade_schema(engine: Engine) -> None:
    """Create the tables, or bring them to this version.

    One transaction does it, so that tables are of the version before or of this one. What takes long in it may be
    done before, in transactions that leave the tables of the version before as they are: a migration's `prepare`.
    On SQLite only for whoever holds the serving lock.
    """
    with _upgrading(engine) as connection:
        revision = schema_revision(connection)
    if revision is not None and revision != head_revision():
        _prepare_migrations(engine, revision)
    with _upgrading(engine) as connection:
        if schema_revision(connection) != head_revision():
            _run_migrations(connection)


def check_schema(engine: Engine) -> None:
    """Return when the schema is this version's; else raise SchemaError with the cure."""
    if known_revision(engine) != head_revision():
        raise SchemaError(
            "The database is of an older version: "
            "restart the collector, it upgrades the tables: python -m collector"
        )


def known_revision(engine: Engine) -> str:
    """The schema's revision, this version's or an older one; else SchemaError with the cure."""
    with reading(engine) as connection:
        _refuse_newer(connection)
        revision = schema_revision(connection)
    if revision is None:
        raise SchemaError(
            "The database has no tables yet: start the collector once: python -m collector"
        )
    return revision


def is_current(engine: Engine) -> bool:
    """Whether the schema is this version's."""
    with reading(engine) as connection:
        return schema_revision(connection) == head_revision()


def is_empty(engine: Engine) -> bool:
    """Whether the database has no tables of ours yet."""
    with reading(engine) as connection:
        return schema_revision(connection) is None


def head_revision() -> str:
    """The revision of this version."""
    return max(_revisions())


def is_newer(revision: str) -> bool:
    """Whether it is none that this version knows."""
    return revision not in _revisions()


def touch_schema(engine: Engine) -> None:
    """A write as good as any that nobody sees: the revision becomes what it is."""
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


@contextmanager
def _upgrading(engine: Engine) -> Generator[Connection]:
    """One of the upgrade's transactions. After it SQLite's log is emptied, so that it never holds two of them."""
    with writing(engine) as connection:
        if not is_sqlite(str(engine.url)):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
            # An index over a large table takes as long as it takes.
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        _refuse_newer(connection)
        yield connection
    if is_sqlite(str(engine.url)):
        empty_log(engine)


def _refuse_newer(connection: Connection) -> None:
    revision = schema_revision(connection)
    if revision is not None and is_newer(revision):
        raise NewerSchemaError(
            f"The database is of a newer version ({revision}): "
            "install that version of Visitor Monitor, or restore a backup"
        )


def schema_revision(connection: Connection) -> str | None:
    """The revision of the database's schema; None without tables.

    Asked every few seconds: Alembic's own question builds a table each time, in cycles that only Python's
    collector of garbage takes apart.
    """
    if not connection.execute(_HAS_TABLE[connection.dialect.name]).scalar():
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _revisions() -> Collection[str]:
    """Those that this version knows: the name of a migration begins with its own."""
    return {file.name.partition("_")[0] for file in _MIGRATIONS.glob("versions/[0-9]*_*.py")}


def _prepare_migrations(engine: Engine, revision: str) -> None:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(_MIGRATIONS)).iterate_revisions("head", revision)
    for script in reversed(list(scripts)):
        prepare = getattr(script.module, "prepare", None)
        if prepare:
            prepare(partial(_upgrading, engine))


def _run_migrations(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
