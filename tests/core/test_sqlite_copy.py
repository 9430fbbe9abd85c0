"""Copies of a SQLite database that is in use."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core import sqlite_copy
from core.command_error import CommandError
from core.database import open_database, reading, writing
from core.sqlite_copy import DamagedDatabase, copy_database, overwrite_database


@pytest.fixture
def engine(sqlite_url):
    engine = open_database(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def in_small_steps(monkeypatch):
    monkeypatch.setattr(sqlite_copy, "PAGES_A_STEP", 2)


def add_salts(engine, *values):
    with writing(engine) as db:
        for value in values:
            db.exec_driver_sql(f"INSERT INTO salt (day, value) VALUES ('{value}', '{value}')")


def salts(engine):
    with reading(engine) as db:
        return db.exec_driver_sql("SELECT value FROM salt").scalars().all()


def salts_in(file):
    with closing(sqlite3.connect(file)) as db:
        return [value for (value,) in db.execute("SELECT value FROM salt")]


def damage(engine):
    """Overwrite all but the first page."""
    with closing(engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    file = Path(engine.url.database)
    file.write_bytes(file.read_bytes()[:4096].ljust(file.stat().st_size, b"x"))


def test_writers_go_on_while_it_copies_what_was_there_when_it_began(
    engine, sqlite_url, tmp_path, in_small_steps
):
    add_salts(engine, "before")
    writer = open_database(sqlite_url)
    steps = []

    def write(left, pages):
        add_salts(writer, f"during{len(steps)}")
        steps.append((left, pages))

    size = copy_database(engine, tmp_path / "copy.db", write)

    assert len(steps) > 5
    assert steps[-1] == (0, size // 4096)
    assert salts_in(tmp_path / "copy.db") == ["before"]
    assert len(salts(engine)) == 1 + len(steps)
    writer.dispose()


def test_copy_needs_no_other_file(engine, tmp_path):
    folder = tmp_path / "copies"
    folder.mkdir()
    with reading(engine):
        copy_database(engine, folder / "copy.db")

    assert [file.name for file in folder.iterdir()] == ["copy.db"]
    with closing(sqlite3.connect(folder / "copy.db")) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_copy_that_is_interrupted_leaves_nothing_and_holds_nothing(
    engine, tmp_path, in_small_steps
):
    there = {file.name for file in tmp_path.iterdir()}

    def interrupt(_left, _pages):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_database(engine, tmp_path / "copy.db", interrupt)

    assert {file.name for file in tmp_path.iterdir()} - there <= {
        "monitor.db-wal",
        "monitor.db-shm",
    }
    add_salts(engine, "after")
    with closing(engine.raw_connection()) as connection:
        emptied = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert emptied == (0, 0, 0)


def test_copy_that_is_interrupted_keeps_the_one_that_was_there(engine, tmp_path, in_small_steps):
    copy_database(engine, tmp_path / "copy.db")
    add_salts(engine, "later")

    def interrupt(_left, _pages):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_database(engine, tmp_path / "copy.db", interrupt)

    assert salts_in(tmp_path / "copy.db") == []


def test_damaged_database_is_not_copied(engine, tmp_path):
    damage(engine)

    with pytest.raises(DamagedDatabase, match=r"monitor.db is damaged \(.*\): restore a backup"):
        copy_database(engine, tmp_path / "copy.db")

    assert not list(tmp_path.glob("copy*"))


def test_place_that_cannot_be_written_is_named(engine):
    with pytest.raises((CommandError, OSError), match=r"/proc/copy\.db"):
        copy_database(engine, Path("/proc/copy.db"))


def test_restore_that_is_interrupted_changes_nothing(engine, tmp_path, in_small_steps):
    copy_database(engine, tmp_path / "copy.db")
    add_salts(engine, "later")
    steps = []

    def interrupt(left, pages):
        steps.append(left)
        if left < pages // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        overwrite_database(engine, tmp_path / "copy.db", interrupt)

    assert len(steps) > 1
    assert salts(engine) == ["later"]


def test_readers_see_the_old_content_until_the_new_one_is_whole(
    engine, sqlite_url, tmp_path, in_small_steps
):
    copy_database(engine, tmp_path / "copy.db")
    add_salts(engine, "later")
    reader, seen = open_database(sqlite_url), []

    overwrite_database(engine, tmp_path / "copy.db", lambda *_: seen.append(salts(reader)))

    assert seen == [*[["later"]] * (len(seen) - 1), []]
    assert len(seen) > 5
    assert salts(reader) == []
    reader.dispose()
