"""python -m core restore, as the owner runs it."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.backups import list_backups
from core.damage_mark import set_mark
from core.database import open_database, reading, writing
from core.schema import check_schema
from core.serving_lock import serving_lock
from core.site_changes import site_revisions
from core.sites import list_sites
from core.sqlite_copy import check_backup
from tests.helpers.old_schema import downgrade


@pytest.fixture
def backup(run, tmp_path):
    """A backup with one site, after which another one was added."""
    run("site", "add", "Tea shop", "--key", "tea")
    file = tmp_path / "b.db"
    assert run("backup", str(file)).returncode == 0
    run("site", "add", "Later shop", "--key", "later")
    return file


@pytest.fixture
def engine(sqlite_url):
    """Of a dashboard that is open all the time."""
    engine = open_database(sqlite_url)
    yield engine
    engine.dispose()


def keys(engine):
    with reading(engine) as db:
        return sorted(site.key for site in list_sites(db))


def kept_copies(tmp_path):
    return list(tmp_path.glob("monitor.db.before-restore-*"))


def test_backup_takes_the_place_and_what_was_there_is_kept(run, backup, engine, tmp_path):
    assert keys(engine) == ["later", "tea"]

    done = run("restore", str(backup), "--yes")

    assert (done.returncode, done.stderr) == (0, "")
    (kept,) = kept_copies(tmp_path)
    restored, where, delete = done.stdout.splitlines()
    assert restored.startswith("Restored 0.4 MB in ")
    assert "Start the collector again" in restored
    assert where == f"What was there before is kept as {kept}"
    assert delete.startswith("Delete that copy once all is well")
    assert keys(engine) == ["tea"]
    other = open_database(f"sqlite:///{kept}")
    assert keys(other) == ["later", "tea"]
    other.dispose()
    assert [file.stat().st_mode & 0o777 for file in (kept, tmp_path / "monitor.db")] == [0o600] * 2


def test_copies_that_the_backup_cannot_know_stay_known(run, backup, engine, tmp_path):
    run("backup", str(tmp_path / "later.db"))

    run("restore", str(backup), "--yes")

    with reading(engine) as db:
        found = {(each.kind, each.file) for each in list_backups(db)}
    (kept,) = kept_copies(tmp_path)
    assert found == {
        ("backup", str(backup)),
        ("backup", str(tmp_path / "later.db")),
        ("restore", str(kept)),
    }


def test_open_pages_are_told(run, backup, engine):
    with reading(engine) as db:
        before = site_revisions(db).of_sites(None)

    run("restore", str(backup), "--yes")

    with reading(engine) as db:
        assert site_revisions(db).of_sites(None) > before


def test_nothing_of_what_was_there_stays_in_the_database_or_its_log(run, backup, engine, tmp_path):
    assert b"Later shop" in everything(tmp_path)

    run("restore", str(backup), "--yes")

    assert b"Later shop" not in everything(tmp_path)
    assert b"Tea shop" in everything(tmp_path)


def everything(tmp_path):
    return b"".join(
        file.read_bytes()
        for name in ("monitor.db", "monitor.db-wal")
        if (file := tmp_path / name).exists()
    )


def test_it_asks_first(run, backup, engine, tmp_path):
    refused = run("restore", str(backup), answer="n\n")
    unanswered = run("restore", str(backup))

    assert (refused.returncode, unanswered.returncode) == (1, 1)
    assert f"This replaces {tmp_path}/monitor.db by {backup} of " in refused.stdout
    assert "a copy that is kept beside it" in refused.stdout
    assert keys(engine) == ["later", "tea"]
    assert kept_copies(tmp_path) == []
    assert run("restore", str(backup), answer="y\n").returncode == 0
    assert keys(engine) == ["tea"]


def test_it_is_refused_while_a_collector_serves(run, backup, engine, sqlite_url, tmp_path):
    with serving_lock(sqlite_url):
        done = run("restore", str(backup), "--yes")

    assert done.returncode == 1
    assert done.stderr.startswith("A collector (process ")
    assert done.stderr.endswith(f" serves {tmp_path}/monitor.db: stop it first, then restore\n")
    assert keys(engine) == ["later", "tea"]


def test_backup_of_an_earlier_version_is_upgraded(run, backup, engine):
    old = open_database(f"sqlite:///{backup}")
    with writing(old) as db:
        downgrade(db, "0005")
    old.dispose()
    assert check_backup(backup) == "0005"

    done = run("restore", str(backup), "--yes")

    assert (done.returncode, done.stderr) == (0, "")
    check_schema(engine)
    assert keys(engine) == ["tea"]
    assert check_backup(backup) == "0005"


def letter(file):
    file.write_text("Dear Ann, " * 1000)


def zeros(file):
    file.write_bytes(b"")


def torn(file):
    file.write_bytes(file.read_bytes()[:4096].ljust(40_960, b"x"))


def foreign(file):
    file.unlink()
    change(file, "CREATE TABLE song (name TEXT)")


def newer(file):
    change(file, "UPDATE alembic_version SET version_num = '9999'")


def change(file, statement):
    with closing(sqlite3.connect(file)) as db:
        db.execute(statement)
        db.commit()


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (letter, "is no SQLite database: name the file of a backup"),
        (zeros, "is no SQLite database: name the file of a backup"),
        (torn, "is damaged ("),
        (foreign, "is no database of Visitor Monitor: name the file of a backup"),
        (newer, "is of a newer version (9999): install that version of Visitor Monitor first"),
        (Path.unlink, "No such file or directory"),
    ],
)
def test_what_is_no_sound_backup_is_refused(run, backup, engine, tmp_path, spoil, expected):
    spoil(backup)

    done = run("restore", str(backup), "--yes")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert str(backup) in done.stderr
    assert expected in done.stderr
    assert keys(engine) == ["later", "tea"]
    assert kept_copies(tmp_path) == []


def test_database_itself_and_folders_are_refused(run, engine, tmp_path):
    itself = run("restore", str(tmp_path / "monitor.db"), "--yes")
    folder = run("restore", str(tmp_path), "--yes")

    assert "is the database itself: name the file of a backup" in itself.stderr
    assert folder.stderr == f"{tmp_path}: Is a directory.\n"
    assert (itself.returncode, folder.returncode) == (1, 1)


def test_restore_without_room_is_refused(run, backup, engine, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=300_000))

    done = run("restore", str(backup), "--yes")

    assert done.returncode == 1
    assert "are needed: make room there" in done.stderr
    assert keys(engine) == ["later", "tea"]


@pytest.mark.parametrize("spoil", [letter, torn])
def test_damaged_database_is_set_aside_and_open_dashboards_go_on(
    run, backup, engine, tmp_path, spoil
):
    assert keys(engine) == ["later", "tea"]
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"monitor.db{suffix}").unlink(missing_ok=True)
    spoil(tmp_path / "monitor.db")
    damaged = (tmp_path / "monitor.db").read_bytes()

    done = run("restore", str(backup), "--yes")

    assert (done.returncode, done.stderr) == (0, "")
    (kept,) = kept_copies(tmp_path)
    assert f"What was there before is kept as {kept}" in done.stdout
    assert kept.read_bytes() == damaged
    assert keys(engine) == ["tea"]


def test_on_a_new_host_nothing_is_asked(run, backup, tmp_path):
    new = tmp_path / "new" / "monitor.db"

    done = run("restore", str(backup), url=f"sqlite:///{new}")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert (new.stat().st_mode & 0o777, new.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    engine = open_database(f"sqlite:///{new}")
    assert keys(engine) == ["tea"]
    with reading(engine) as db:
        assert [(each.kind, each.file) for each in list_backups(db)] == [("backup", str(backup))]
    engine.dispose()


def test_log_of_a_file_that_is_gone_is_not_read_into_the_restored_one(
    run, backup, engine, tmp_path
):
    keys(engine)  # so that the log stays
    (tmp_path / "monitor.db").rename(tmp_path / "aside.db")
    with (tmp_path / "monitor.db-wal").open("ab") as log:
        log.write(b"x" * 4_096)

    assert run("restore", str(backup), "--yes").returncode == 0

    assert keys(engine) == ["tea"]
    assert check_backup(tmp_path / "monitor.db")


def test_file_that_is_marked_as_damaged_is_moved_aside_and_the_mark_goes(
    run, backup, engine, tmp_path
):
    there = (tmp_path / "monitor.db").read_bytes()
    set_mark(tmp_path / "monitor.db", "database disk image is malformed")
    refused = run("site", "list")

    done = run("restore", str(backup), "--yes")

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"The database is damaged: {tmp_path / 'monitor.db'}")
    assert refused.stderr.count("\n") == 1
    assert done.returncode == 0, done.stderr
    assert next(iter(kept_copies(tmp_path))).read_bytes() == there
    assert keys(engine) == ["tea"]
    assert not (tmp_path / "monitor.db.damaged").exists()
