"""python -m core visitor: exporting, forgetting, and what is said of copies."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, make_url

from core.database import open_database, reading, writing
from core.file_rewrite import asked_rewrite
from core.serving_lock import serving_lock
from core.sites import add_site
from core.tables import Backup
from tests.helpers.chat_rows import MINUTE, NOW, add_visit, ask, opened

EMAIL = ["--site", "shop", "--attribute", "email=ADA@shop.example"]
VISIT = ["--site", "shop", "--visit", "first"]


@pytest.fixture
def shop(database_url):
    """A database with two visits of Ada, with a chat, and one of somebody else."""
    return fill(database_url)


@pytest.fixture
def file_of_shop(sqlite_url):
    """The same on SQLite: its file."""
    return Path(make_url(fill(sqlite_url)).database or "")


def fill(url):
    engine = open_database(url)
    with writing(engine) as db:
        site_id = add_site(db, name="Shop", key="shop", now=NOW).id or 0
        told = {"name": "Ada Lovelace", "email": "ada@shop.example"}
        add_visit(db, "first", site_id, started_at=NOW, page_count=3, country="DE")
        add_visit(db, "second", site_id, follows="first", started_at=NOW + MINUTE, attributes=told)
        add_visit(db, "other", site_id, attributes={"email": "bob@shop.example"})
        ask(db, opened(db, "second", site_id=site_id), "Where is my secret tea?")
    engine.dispose()
    return url


def add_copy(url, file, made_at=NOW + MINUTE):
    engine = open_database(url)
    with writing(engine) as db:
        copy = Backup(made_at=made_at, kind="backup", file=str(file), size=1)
        db.execute(insert(Backup).values(**copy.model_dump(exclude={"id"})))
    engine.dispose()


def visits_in(run, url, *named):
    done = run("visitor", "export", "--site", "shop", *named, url=url)
    return [visit["id"] for visit in json.loads(done.stdout)["visit"]] if done.stdout else []


@pytest.mark.parametrize("named", [EMAIL, VISIT], ids=["attribute", "visit"])
def test_export_is_one_document_with_all_visits_of_the_person(run, shop, named):
    done = run("visitor", "export", *named, url=shop)

    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    first, second = document["visit"]
    assert document["site"] == {"key": "shop", "name": "Shop"}
    assert (first["id"], second["id"], second["follows"]) == ("first", "second", "first")
    assert second["attributes"]["name"] == "Ada Lovelace"
    [chat] = second["conversation"]
    assert [message["text"] for message in chat["message"]][1] == "Where is my secret tea?"
    assert "token" not in chat
    assert first["started_at"] == "2026-11-22T12:34:56.789Z"


def test_export_to_a_file_is_for_its_owner_only(run, shop, tmp_path):
    file = tmp_path / "ada.json"

    done = run("visitor", "export", *EMAIL, "--to", str(file), url=shop)

    assert done.stdout == ""
    assert "2 visits" in done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(json.loads(file.read_text(encoding="utf-8"))["visit"]) == 2


def test_export_overwrites_nothing(run, file_of_shop):
    done = run(
        "visitor", "export", *EMAIL, "--to", str(file_of_shop), url=f"sqlite:///{file_of_shop}"
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{file_of_shop} exists: name another file, or delete it first\n"
    assert file_of_shop.read_bytes().startswith(b"SQLite format 3")


def test_forget_lists_what_it_found_and_asks(run, shop):
    done = run("visitor", "forget", *EMAIL, url=shop, answer="n\n")

    assert done.returncode == 1
    assert "Ada Lovelace" in done.stdout
    assert "2 visits, 0 page views, 1 chat with 2 messages." in done.stdout
    assert visits_in(run, shop, "--visit", "first") == ["first", "second"]


def test_forget_deletes_all_of_it_and_nothing_else(run, shop):
    done = run("visitor", "forget", *VISIT, "--yes", url=shop)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Deleted. No page shows it any more." in done.stdout
    assert "has made no copy of the database that holds it" in done.stdout
    assert visits_in(run, shop, "--visit", "first") == []
    assert visits_in(run, shop, "--visit", "second") == []
    assert visits_in(run, shop, "--visit", "other") == ["other"]


def test_without_a_collector_the_file_is_clean_at_once(run, file_of_shop):
    done = run("visitor", "forget", *VISIT, "--yes")

    assert "The database's file and its log are clean now." in done.stdout
    for each in file_of_shop.parent.iterdir():
        assert b"secret tea" not in each.read_bytes(), each


def test_running_collector_is_left_to_clean_the_file(run, sqlite_url, file_of_shop):
    with serving_lock(sqlite_url):
        done = run("visitor", "forget", *VISIT, "--yes")

    assert "UTC: the collector sees to it" in done.stdout
    engine = open_database(sqlite_url)
    with reading(engine) as db:
        assert asked_rewrite(db)
    engine.dispose()


def test_postgres_wipes_by_its_own_means_and_says_so(run, postgres_url):
    done = run("visitor", "forget", *VISIT, "--yes", url=fill(postgres_url))

    assert "Postgres frees the rows with its next vacuum" in done.stdout


def test_copies_that_hold_it_are_named_and_those_that_are_gone(run, shop, tmp_path):
    kept = tmp_path / "kept.db"
    kept.touch()
    add_copy(shop, kept)
    add_copy(shop, tmp_path / "moved.db", NOW + 2 * MINUTE)
    add_copy(shop, tmp_path / "before.db", NOW - timedelta(days=1))

    done = run("visitor", "forget", *VISIT, "--yes", url=shop)

    named, _, gone = done.stdout.partition("not where they were written any more")
    assert "still hold it until you delete them" in named
    assert str(kept) in named
    assert "moved.db" in gone
    assert "before.db" not in done.stdout


@pytest.mark.parametrize("command", ["export", "forget"])
@pytest.mark.parametrize(
    ("named", "code", "expected"),
    [
        (["--site", "shop", "--visit", "nobody"], 1, "Shop has no visit with the reference nobody"),
        (["--site", "shop", "--visit", "a b"], 1, "Shop has no visit with the reference a b"),
        (["--site", "shop", "--attribute", "email=x@y"], 1, "Shop has no visit with email = x@y"),
        (["--site", "nope", "--visit", "first"], 1, "no site with the short name 'nope'"),
        (["--site", "shop", "--attribute", "email"], 2, "--attribute is 'email': write NAME=VALUE"),
        (["--site", "shop"], 2, "by either --visit ID or --attribute NAME=VALUE"),
        ([*EMAIL, "--visit", "first"], 2, "by either --visit ID or --attribute NAME=VALUE"),
        (["--visit", "first"], 2, "Missing option '--site'"),
    ],
)
def test_nothing_found_or_named_is_said_in_one_line(run, shop, command, named, code, expected):
    done = run("visitor", command, *named, url=shop)

    assert done.returncode == code
    assert expected in done.stderr
    assert done.stdout == ""
    assert code == 2 or done.stderr.count("\n") == 1


def test_wipe_rewrites_the_file(run, file_of_shop):
    before = file_of_shop.stat().st_mtime_ns

    assert run("visitor", "wipe").stdout == "The file and its log are clean.\n"

    assert file_of_shop.stat().st_mtime_ns > before
    assert not Path(f"{file_of_shop}-wal").exists()


def test_wipe_that_waits_in_vain_says_so_in_one_line(run, file_of_shop, monkeypatch):
    monkeypatch.setattr("core.database.BUSY_TIMEOUT", 1)
    with closing(sqlite3.connect(file_of_shop, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        done = run("visitor", "wipe")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("The database's file is not clean yet (database is locked): end")


def test_copies_are_named_also_when_the_disk_has_no_room_to_rewrite(
    run, file_of_shop, tmp_path, monkeypatch
):
    def fill_disk(*_):
        raise sqlite3.OperationalError("database or disk is full")

    copy = tmp_path / "night.db"
    copy.touch()
    add_copy(f"sqlite:///{file_of_shop}", copy)
    monkeypatch.setattr("core.commands.visitor.rewrite_file", fill_disk)

    done = run("visitor", "forget", *EMAIL, "--yes")

    assert done.returncode == 1
    assert "Deleted." in done.stdout and str(copy) in done.stdout
    assert "not clean yet (database or disk is full)" in done.stderr
    assert "python -m core visitor wipe" in done.stderr


def test_wipe_leaves_postgres_to_its_own_means(run, postgres_url):
    done = run("visitor", "wipe", url=postgres_url)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "VACUUM FULL" in done.stderr
