"""A database whose file is replaced while it is open."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from core.damage_mark import clear_mark, set_mark
from core.database import open_database, reading, writing
from core.open_file import FileRule
from core.sqlite_fault import DamagedFile, ForeignFile, MissingFile


def salt_of(engine):
    with reading(engine) as db:
        return db.exec_driver_sql("SELECT value FROM salt").scalars().all()


def add_salt(engine, value):
    with writing(engine) as db:
        db.exec_driver_sql(f"INSERT INTO salt (day, value) VALUES ('{value}', '{value}')")


def put_in_place(tmp_path, template, value):
    """A copy of the template with this one salt, where the database was."""
    new = tmp_path / "new.db"
    shutil.copy(template, new)
    with closing(sqlite3.connect(new)) as connection:
        connection.execute("INSERT INTO salt VALUES (?, ?)", (value, value))
        connection.commit()
        connection.execute("PRAGMA journal_mode=DELETE")
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"monitor.db{suffix}").unlink(missing_ok=True)
    new.replace(tmp_path / "monitor.db")


def test_every_pooled_connection_reads_the_file_that_took_the_place(
    sqlite_url, sqlite_template, tmp_path
):
    engine = open_database(sqlite_url)
    add_salt(engine, "old")
    with reading(engine), reading(engine):  # two connections lie in the pool then
        pass

    put_in_place(tmp_path, sqlite_template, "new")

    with reading(engine):
        assert salt_of(engine) == ["new"]
    assert salt_of(engine) == ["new"]
    engine.dispose()


def test_what_is_written_then_is_kept_when_old_connections_close(
    sqlite_url, sqlite_template, tmp_path
):
    """Whoever closes the old file as the last one must not take the new file's log with it."""
    engine, collector = open_database(sqlite_url), open_database(sqlite_url)
    add_salt(engine, "old")
    put_in_place(tmp_path, sqlite_template, "new")
    add_salt(collector, "newer")

    assert salt_of(engine) == ["new", "newer"]
    engine.dispose()
    add_salt(collector, "newest")
    collector.dispose()

    with closing(sqlite3.connect(tmp_path / "monitor.db")) as connection:
        found = connection.execute("SELECT value FROM salt").fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert found == [("new",), ("newer",), ("newest",)]


def test_nobody_reads_or_makes_a_file_that_is_gone(sqlite_url, sqlite_template, tmp_path):
    engine, late = open_database(sqlite_url), open_database(sqlite_url, FileRule(creates=False))
    add_salt(engine, "old")
    aside = (tmp_path / "monitor.db").rename(tmp_path / "aside.db")

    for each in (engine, late):
        with pytest.raises(MissingFile, match=r"monitor\.db\. Put yours back, or restore"):
            salt_of(each)
    assert not (tmp_path / "monitor.db").exists()

    aside.rename(tmp_path / "monitor.db")
    assert salt_of(engine) == salt_of(late) == ["old"]
    engine.dispose()
    late.dispose()


def test_what_was_committed_into_a_file_that_is_gone_is_not_done(sqlite_url, tmp_path):
    engine = open_database(sqlite_url)
    with pytest.raises(MissingFile), writing(engine) as db:
        db.exec_driver_sql("INSERT INTO salt (day, value) VALUES ('lost', 'lost')")
        (tmp_path / "monitor.db").unlink()
    engine.dispose()


def test_what_was_committed_into_a_file_that_was_replaced_is_not_done(
    sqlite_url, sqlite_template, tmp_path
):
    engine = open_database(sqlite_url)
    with pytest.raises(ForeignFile), writing(engine) as db:
        db.exec_driver_sql("INSERT INTO salt (day, value) VALUES ('lost', 'lost')")
        put_in_place(tmp_path, sqlite_template, "new")

    assert salt_of(engine) == ["new"]
    engine.dispose()


def test_log_of_the_file_of_before_is_not_read_into_the_new_one(
    sqlite_url, sqlite_template, tmp_path
):
    """Who puts a file in place by mv leaves the old one's log there."""
    engine = open_database(sqlite_url)
    add_salt(engine, "old")
    shutil.copy(sqlite_template, tmp_path / "new.db")
    (tmp_path / "new.db").replace(tmp_path / "monitor.db")

    assert salt_of(engine) == []
    add_salt(engine, "new")
    engine.dispose()

    with closing(sqlite3.connect(tmp_path / "monitor.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert (tmp_path / "monitor.db-wal.replaced").exists()


def test_marked_file_is_used_by_nobody_but_who_restores_it(sqlite_url, tmp_path):
    engine, restoring = (
        open_database(sqlite_url),
        open_database(sqlite_url, FileRule(takes_damaged=True)),
    )
    add_salt(engine, "old")
    set_mark(tmp_path / "monitor.db", "database disk image is malformed")

    with pytest.raises(DamagedFile, match=r"monitor\.db \(database disk image is malformed\)"):
        salt_of(engine)
    assert salt_of(restoring) == ["old"]
    assert oct((tmp_path / "monitor.db.damaged").stat().st_mode & 0o777) == "0o600"

    clear_mark(tmp_path / "monitor.db")
    assert salt_of(engine) == ["old"]
    engine.dispose()
    restoring.dispose()
