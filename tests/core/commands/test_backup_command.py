"""python -m core backup, as the owner runs it."""

import os
import shlex
import shutil
import sqlite3
import subprocess
from contextlib import closing
from types import SimpleNamespace

import pytest

from core.backups import list_backups
from core.database import open_database, reading, writing
from core.moment import utc_now
from core.sites import list_sites
from core.sqlite_copy import copy_database
from core.visitor_data import copies_since
from tests.helpers.old_schema import downgrade


@pytest.fixture
def engine(sqlite_url):
    engine = open_database(sqlite_url)
    yield engine
    engine.dispose()


def sites_in(file):
    with closing(sqlite3.connect(file)) as db:
        return [key for (key,) in db.execute("SELECT key FROM site")]


def recorded(engine):
    with reading(engine) as db:
        return [(each.kind, each.file, each.size) for each in list_backups(db)]


@pytest.fixture
def umask_0():
    before = os.umask(0)
    yield
    os.umask(before)


def test_backup_is_one_private_file_with_everything_and_is_recorded(run, engine, tmp_path, umask_0):
    run("site", "add", "Tea shop", "--key", "tea")
    target = tmp_path / "my backup.db"

    done = run("backup", str(target))

    assert (done.returncode, done.stderr) == (0, "")
    first, where, secret, back = done.stdout.splitlines()
    assert first.startswith("Copied and checked 0.4 MB in 0.")
    assert where == f"The backup is {target}"
    assert "keep it secret, and delete it in time" in secret
    assert back == f"What puts it back: python -m core restore '{target}'"
    assert sites_in(target) == ["tea"]
    assert target.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.glob("my*")] == [target.name]
    assert recorded(engine) == [("backup", str(target), target.stat().st_size)]


def test_backup_is_known_from_the_moment_it_begins(run, engine, tmp_path, monkeypatch):
    """Else who is forgotten while it is written is in a copy that nobody is told of."""
    target, meanwhile = tmp_path / "b.db", []

    def copy(*arguments):
        meanwhile.extend(recorded(engine))
        with reading(engine) as db:
            assert copies_since(db, utc_now()), "who is forgotten now is in it"
        return copy_database(*arguments)

    monkeypatch.setattr("core.commands.backup.copy_database", copy)
    assert run("backup", str(target)).returncode == 0

    assert meanwhile == [("backup", f"{target}.part", 0)]
    assert recorded(engine) == [("backup", str(target), target.stat().st_size)]


def test_backup_counts_from_its_end_as_who_came_while_it_began_is_in_it(
    run, engine, tmp_path, monkeypatch
):
    began = []

    def copy(*arguments):
        began.append(utc_now())
        return copy_database(*arguments)

    monkeypatch.setattr("core.commands.backup.copy_database", copy)
    assert run("backup", str(tmp_path / "b.db")).returncode == 0

    with reading(engine) as db:
        assert [each.file for each in copies_since(db, began[0])] == [str(tmp_path / "b.db")]


def test_backup_that_fails_is_not_known(run, engine, tmp_path, monkeypatch):
    assert run("backup", str(tmp_path / "a.db")).returncode == 0
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))

    assert run("backup", str(tmp_path / "b.db")).returncode == 1

    assert [file for _, file, _ in recorded(engine)] == [str(tmp_path / "a.db")]


def test_backup_into_a_folder_is_named_by_its_moment(run, tmp_path, monkeypatch):
    (tmp_path / "backups").mkdir()
    monkeypatch.chdir(tmp_path)

    assert run("backup", "backups").returncode == 0

    (made,) = (tmp_path / "backups").iterdir()
    day, moment = made.stem.removeprefix("visitor-monitor-").split("-")
    assert (len(day), len(moment), made.suffix) == (8, 6, ".db")


def test_file_that_exists_is_overwritten_only_by_force(run, engine, tmp_path):
    target = tmp_path / "b.db"
    target.write_text("a letter")

    refused = run("backup", str(target))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"{target} exists: name another file, or overwrite it with --force\n"
    assert target.read_text() == "a letter"

    assert run("backup", str(target), "--force").returncode == 0
    assert run("backup", str(target), "--force").returncode == 0
    assert sites_in(target) == []
    assert len(recorded(engine)) == 1


@pytest.mark.parametrize("name", ["monitor.db", "monitor.db-wal", "alias.db"])
def test_database_itself_is_never_overwritten(run, engine, tmp_path, name):
    with reading(engine):
        (tmp_path / "alias.db").hardlink_to(tmp_path / "monitor.db")

        done = run("backup", str(tmp_path / name), "--force")

    assert done.returncode == 1
    assert "belongs to the database itself: name another file" in done.stderr
    assert run("site", "list").returncode == 0


def test_database_s_log_is_no_name_for_a_backup_also_while_there_is_none(run, tmp_path):
    done = run("backup", str(tmp_path / "monitor.db-wal"))

    assert done.returncode == 1
    assert "belongs to the database itself: name another file" in done.stderr


def test_copy_beside_the_database_is_overwritten_by_force(run, engine, tmp_path):
    target = tmp_path / "monitor.db.bak"
    for _ in range(2):
        assert run("backup", str(target), "--force").returncode == 0
    assert sites_in(target) == []


def test_backup_without_room_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))

    done = run("backup", str(tmp_path / "b.db"))

    assert done.returncode == 1
    assert done.stderr == (
        f"{tmp_path} has 0.1 MB free, and 0.4 MB are needed: make room there, or use another disk\n"
    )
    assert not list(tmp_path.glob("b.db*"))


def test_folder_that_does_not_exist_is_named(run, tmp_path):
    done = run("backup", str(tmp_path / "no" / "b.db"))

    assert (done.returncode, done.stderr) == (
        1,
        f"There is no folder {tmp_path}/no: make it first\n",
    )


def test_older_version_can_be_backed_up_before_it_is_upgraded(run, engine, tmp_path):
    with writing(engine) as db:
        downgrade(db, "0005")

    done = run("backup", str(tmp_path / "b.db"))

    assert (done.returncode, done.stderr) == (0, "")
    with closing(sqlite3.connect(tmp_path / "b.db")) as db:
        assert db.execute("SELECT * FROM alembic_version").fetchall() == [("0005",)]


def test_database_without_tables_is_not_backed_up(run, tmp_path):
    empty = tmp_path / "empty.db"
    empty.touch()

    done = run("backup", str(tmp_path / "b.db"), url=f"sqlite:///{empty}")
    missing = run("backup", str(tmp_path / "b.db"), url=f"sqlite:///{tmp_path / 'none.db'}")

    for each in (done, missing):
        assert (each.returncode, each.stderr.count("\n")) == (1, 1)
        assert "start the collector once: python -m collector" in each.stderr
    assert not (tmp_path / "b.db").exists()
    assert not (tmp_path / "none.db").exists()


def test_on_postgres_it_says_how_without_the_password(run, tmp_path):
    url = "postgresql+psycopg://ann:s3cret@db.example:5433/shop?sslmode=require"

    made = run("backup", str(tmp_path / "b.db"), url=url)
    put_back = run("restore", str(tmp_path / "b.db"), url=url)

    named = "'postgresql://ann@db.example:5433/shop?sslmode=require'"
    for done, command in ((made, f"--file=FILE {named}"), (put_back, f"--dbname={named} FILE")):
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines()[-1].endswith(command)
        assert "s3cret" not in done.stderr


def test_what_it_says_for_postgres_does_back_up_and_restore(run, postgres, postgres_url, tmp_path):
    run("site", "add", "Tea shop", "--key", "tea", url=postgres_url)
    made = tmp_path / "b.dump"

    shell(run("backup", "FILE", url=postgres_url), made, postgres)
    run("site", "set", "tea", "--name", "Cups", url=postgres_url)
    run("site", "add", "Later", "--key", "later", url=postgres_url)
    shell(run("restore", "FILE", url=postgres_url), made, postgres)

    engine = open_database(postgres_url)
    with reading(engine) as db:
        assert [site.name for site in list_sites(db)] == ["Tea shop"]
    engine.dispose()


def shell(done, file, postgres):
    """Run the command in the last line of what was said, by the server's own tools."""
    assert done.returncode == 1
    command = done.stderr.splitlines()[-1].replace("FILE", shlex.quote(str(file)))
    subprocess.run(command, shell=True, check=True, env={"PATH": str(postgres.binaries)})
