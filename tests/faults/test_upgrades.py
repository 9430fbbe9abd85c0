"""Upgrades: from every version that was released, and killed at every kind of moment on the way."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Container, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, inspect

import core
from core.database import open_database, reading, writing
from core.moment import utc_now
from core.schema import check_schema, head_revision
from core.sites import list_sites
from core.upgrade import upgrade_database
from tests.fixtures.schemas.make import fill
from tests.helpers.old_schema import RELEASED, SCHEMAS, load_released
from tests.helpers.preloaded import preloaded, start_without_main

pytestmark = pytest.mark.long

KILLED = -signal.SIGKILL


@pytest.fixture
def database(bare_database_url: str) -> Iterator[Engine]:
    engine = open_database(bare_database_url)
    yield engine
    engine.dispose()


class AllBut(str):
    """Every kind of moment is in it but this one."""

    def __contains__(self, kind: object) -> bool:
        return kind != str(self)


def upgrade_until(url: str, known: Container[str], told: Path) -> None:
    """Upgrade; at the first moment of a kind that is not known the process says which, and is killed.

    Kinds: the statements by their first two words, and for each commit what is just before and just after it.
    """
    commits = 0

    def look(kind: str) -> None:
        if kind not in known:
            told.write_text(kind, encoding="utf-8")
            os.kill(os.getpid(), signal.SIGKILL)

    def see_statement(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        look(f"after commit {commits}")
        look(" ".join(statement.split()[:2]))

    def see_commit(_connection: object) -> None:
        nonlocal commits
        commits += 1
        look(f"before commit {commits}")

    engine = open_database(url)
    event.listen(engine, "before_cursor_execute", see_statement)
    event.listen(engine, "commit", see_commit)
    upgrade_database(engine, utc_now())


def upgrade_and_kill(url: str, known: Container[str], told: Path) -> str:
    """The kind of moment at which it was killed; "" when it has come to its end."""
    process = preloaded().Process(target=upgrade_until, args=(url, known, told))
    start_without_main(process)
    process.join()
    assert process.exitcode in (0, KILLED)
    return told.read_text(encoding="utf-8") if process.exitcode else ""


def counts(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with reading(engine) as db:
        return {
            table: db.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            for table in inspect(db).get_table_names()
        }


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("revision", [RELEASED[0], RELEASED[-1]])
def test_upgrade_may_be_killed_at_every_kind_of_moment(
    revision: str, database: Engine, bare_database_url: str, tmp_path: Path
) -> None:
    with writing(database) as db:
        load_released(db, revision)
    before = counts(database)
    for changed in ("backlog", "backup"):  # what was left to do is done, and the copy is noted
        before.pop(changed, None)

    known: frozenset[str] = frozenset()
    while kind := upgrade_and_kill(bare_database_url, known, tmp_path / "told"):
        known |= {kind}
        with reading(database) as db:
            version = db.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        assert version in (revision, head_revision())
        if version == revision:
            assert counts(database).items() >= before.items()

    assert {"after commit 0", "before commit 3", "CREATE TABLE"} <= known
    assert "DROP TABLE" in known or revision == RELEASED[-1]  # the last step only adds tables
    check_schema(database)
    after = counts(database)
    rows = {"page_view": "page_view_row", "visit_span": "visit_span_row"}
    assert {table: after[rows.get(table, table)] for table in before} == before
    with reading(database) as db:
        assert [site.key for site in list_sites(db)] == ["shop", "tea"]


@pytest.mark.parametrize("revision", RELEASED)
def test_upgrade_that_is_killed_once_on_its_way_is_done_at_the_next_start(
    revision: str, database: Engine, bare_database_url: str, tmp_path: Path
) -> None:
    with writing(database) as db:
        load_released(db, revision)
    sites = counts(database)["site"]

    assert upgrade_and_kill(bare_database_url, AllBut("UPDATE alembic_version"), tmp_path / "told")
    assert upgrade_and_kill(bare_database_url, AllBut("no moment"), tmp_path / "told") == ""

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
