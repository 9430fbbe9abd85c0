"""A database whose file is replaced while it is open."""

import shutil
import sqlite3
from contextlib import closing

from core.database import open_database, reading, writing


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


def test_reader_goes_on_while_no_file_lies_there(sqlite_url, sqlite_template, tmp_path):
    engine = open_database(sqlite_url)
    add_salt(engine, "old")

    (tmp_path / "monitor.db").unlink()
    assert salt_of(engine) == ["old"]
    assert not (tmp_path / "monitor.db").exists()

    put_in_place(tmp_path, sqlite_template, "new")
    assert salt_of(engine) == ["new"]
    engine.dispose()
