"""Upgrades: from every version that was released, and killed at every statement on the way."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, inspect

import core
from core.database import open_database, reading, writing
from core.schema import check_schema, head_revision
from core.sites import list_sites
from core.upgrade import upgrade_database
from tests.fixtures.schemas.make import fill
from tests.helpers.chat_rows import NOW
from tests.helpers.old_schema import RELEASED, SCHEMAS, load_released
from tests.helpers.preloaded import preloaded, start_without_main

KILLED = -signal.SIGKILL
MOST_STATEMENTS = 2_000


@pytest.fixture
def database(bare_database_url: str) -> Iterator[Engine]:
    engine = open_database(bare_database_url)
    yield engine
    engine.dispose()


def upgrade_until(url: str, statements: int) -> None:
    """Upgrade; at the next statement after so many the process is killed."""
    done = 0

    def count(*_: object) -> None:
        nonlocal done
        if done == statements:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1

    engine = open_database(url)
    event.listen(engine, "before_cursor_execute", count)
    upgrade_database(engine, NOW + timedelta(seconds=statements))


def exit_code(url: str, statements: int) -> int | None:
    process = preloaded().Process(target=upgrade_until, args=(url, statements))
    start_without_main(process)
    process.join()
    return process.exitcode


def counts(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with reading(engine) as db:
        return {
            table: db.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            for table in inspect(db).get_table_names()
        }


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_upgrade_may_be_killed_at_every_statement(database: Engine, bare_database_url: str) -> None:
    with writing(database) as db:
        load_released(db, RELEASED[0])
    before = counts(database)

    for statements in range(MOST_STATEMENTS):
        if exit_code(bare_database_url, statements) == 0:
            break
        with reading(database) as db:
            version = db.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        assert version in (RELEASED[0], head_revision())
    else:
        pytest.fail("no upgrade has ended")

    assert statements > len(RELEASED)
    check_schema(database)
    after = counts(database)
    rows = {"page_view": "page_view_row", "visit_span": "visit_span_row"}
    assert {table: after[rows.get(table, table)] for table in before} == before
    with reading(database) as db:
        assert [site.key for site in list_sites(db)] == ["shop", "tea"]


@pytest.mark.parametrize("revision", RELEASED)
def test_upgrade_that_is_killed_once_on_its_way_is_done_at_the_next_start(
    revision: str, database: Engine, bare_database_url: str
) -> None:
    with writing(database) as db:
        load_released(db, revision)
    sites = counts(database)["site"]

    exit_code(bare_database_url, statements=25)
    assert exit_code(bare_database_url, MOST_STATEMENTS) == 0

    check_schema(database)
    assert counts(database)["site"] == sites


def test_every_released_version_is_kept() -> None:
    scripts = ScriptDirectory(str(Path(core.__file__).parent / "migrations"))
    revisions = {script.revision for script in scripts.walk_revisions()}
    assert scripts.get_current_head() == head_revision()
    kept = {file.name for file in SCHEMAS.glob("*.sql")}
    assert kept >= {
        f"{revision}.{database}.sql"
        for revision in revisions - {head_revision()}
        for database in ("sqlite", "postgres")
    }


@pytest.mark.parametrize("revision", RELEASED)
def test_no_later_change_of_a_migration_changes_what_was_released(
    revision: str, tmp_path: Path
) -> None:
    released, made = tmp_path / "released.db", tmp_path / "made.db"
    with closing(sqlite3.connect(released)) as db:
        db.executescript((SCHEMAS / f"{revision}.sqlite.sql").read_text(encoding="utf-8"))
    fill(f"sqlite:///{made}", revision)
    assert statements_of(made) == statements_of(released)


def statements_of(file: Path) -> list[str]:
    """Everything that is in a SQLite file, as SQL."""
    with closing(sqlite3.connect(file)) as db:
        return list(db.iterdump())
