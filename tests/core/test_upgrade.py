"""An upgrade, and the copy of before."""

import logging
import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import inspect

from core import upgrade as upgrade_module
from core.backups import list_backups
from core.command_error import CommandError
from core.database import open_database, reading, writing
from core.schema import check_schema, head_revision
from core.sites import list_sites
from core.upgrade import KEPT_COPIES, upgrade_database
from tests.helpers.chat_rows import NOW
from tests.helpers.old_schema import RELEASED, downgrade, load_released

HEAD = head_revision()
OLD_REVISIONS = tuple(revision for revision in RELEASED if revision != HEAD)


@pytest.fixture
def database(bare_database_url):
    engine = open_database(bare_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def old_file(tmp_path):
    """A SQLite database of the version before."""
    engine = open_database(f"sqlite:///{tmp_path / 'monitor.db'}")
    make_old(engine, OLD_REVISIONS[-1])
    yield engine
    engine.dispose()


def make_old(engine, revision):
    with writing(engine) as connection:
        load_released(connection, revision)


def content(engine):
    """All rows of all tables."""
    with reading(engine) as db:
        return {
            table: db.exec_driver_sql(f"SELECT * FROM {table}").all()
            for table in sorted(inspect(db).get_table_names())
        }


def copies(engine):
    file = Path(engine.url.database)
    return sorted(file.parent.glob(f"{file.name}.before-*"))


@pytest.mark.parametrize("revision", OLD_REVISIONS)
def test_every_earlier_version_is_upgraded_after_a_copy(database, revision, caplog):
    make_old(database, revision)
    before = content(database)
    known = {value for row in before.get("backup", []) for value in row}

    with caplog.at_level(logging.INFO, "core.upgrade"):
        upgrade_database(database, NOW)

    check_schema(database)
    with reading(database) as db:
        assert [site.key for site in list_sites(db)] == ["shop", "tea"]
        recorded = [
            (each.kind, each.file, each.size) for each in list_backups(db) if each.file not in known
        ]
    assert before["alembic_version"] == [(revision,)]
    if database.dialect.name == "postgresql":
        assert recorded == []
        assert f"upgraded_without_copy from={revision} how='pg_dump" in caplog.text
        return
    (copy,) = copies(database)
    assert copy.name == f"bare.db.before-{HEAD}-{NOW:%Y%m%d-%H%M%S}"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert recorded == [("upgrade", str(copy), copy.stat().st_size)]
    assert f"copied_before_upgrade file={copy} bytes={copy.stat().st_size}" in caplog.text
    old = open_database(f"sqlite:///{copy}")
    assert content(old) == before
    old.dispose()


def test_fresh_and_current_databases_are_not_copied(database, caplog):
    with caplog.at_level(logging.INFO, "core.upgrade"):
        upgrade_database(database, NOW)
        upgrade_database(database, NOW)

    check_schema(database)
    assert caplog.text == ""
    if database.dialect.name == "sqlite":
        assert copies(database) == []


def test_upgrade_without_room_for_a_copy_is_refused_and_changes_nothing(old_file, monkeypatch):
    before = content(old_file)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))

    with pytest.raises(CommandError, match=r"has 0\.0 MB free, and .* MB are needed: make room"):
        upgrade_database(old_file, NOW)

    assert content(old_file) == before
    assert copies(old_file) == []


def test_upgrade_that_is_killed_each_time_does_not_fill_the_disk(old_file, monkeypatch):
    folder = Path(old_file.url.database).parent
    part = folder / "monitor.db.before-0007-20260101-000000.part"
    for left in (part, part.with_name(f"{part.name}-journal")):
        left.touch()

    def be_killed(_engine):
        raise KeyboardInterrupt

    monkeypatch.setattr(upgrade_module, "upgrade_schema", be_killed)
    for minutes in range(KEPT_COPIES + 2):
        with pytest.raises(KeyboardInterrupt):
            upgrade_database(old_file, NOW + timedelta(minutes=minutes))

    times = [f"{NOW + timedelta(minutes=minutes):%Y%m%d-%H%M%S}" for minutes in (2, 3, 4)]
    assert [copy.name for copy in copies(old_file)] == [
        f"monitor.db.before-{HEAD}-{time}" for time in times
    ]


def test_only_the_newest_copies_are_kept(old_file):
    folder = Path(old_file.url.database).parent
    others = [
        folder / name for name in ("monitor.db.before-restore-20260101-000000", "monitor.dbx")
    ]
    older = folder / "monitor.db.before-0006-20991231-000000"
    for file in (*others, older):
        file.touch()

    for years in range(100, 100 + KEPT_COPIES):
        upgrade_database(old_file, NOW + timedelta(days=366 * years))
        with writing(old_file) as db:
            downgrade(db, OLD_REVISIONS[-1])

    kept = [copy for copy in copies(old_file) if copy not in others]
    assert len(kept) == KEPT_COPIES
    assert older not in kept
    assert all(other.exists() for other in others)
