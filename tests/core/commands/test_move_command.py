"""python -m core move, as the owner runs it: a SQLite file into a real Postgres."""

from __future__ import annotations

import os
import re
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

import pytest
from sqlalchemy import Integer, insert, select, text

from core import database_move
from core.commands import move_progress
from core.database import open_database, reading, sqlite_file, writing
from core.database_move import sums_of, tables_to_move
from core.schema import upgrade_schema
from core.serving_lock import serving_lock
from core.sites import add_site, find_site
from core.tables import Table
from core.visits.row_keys import page_id

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
NAME = "Tee & Söhne 🫖 'quoted' \\ tab\tnew\nline"


@pytest.fixture
def empty_postgres(postgres):
    """The address of a database without any table."""
    name = f"move_{os.getpid()}_{os.urandom(4).hex()}"
    postgres.execute(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def source(sqlite_url):
    """A database with rows in every table, many of them in some."""
    engine = open_database(sqlite_url)
    upgrade_schema(engine)
    with writing(engine) as db:
        for key in ("tea", "cups"):
            add_site(db, name=NAME, key=key, domains=["https://shop.example"], now=NOW)
        for table in tables_to_move():
            for number in range(7):
                db.execute(insert(table).prefix_with("OR IGNORE"), made_row(table, number))
    yield engine
    engine.dispose()


def made_row(table, number):
    """Something in each column, other things in each row."""
    row = {}
    for column in table.c:
        kind = column.type.python_type if not hasattr(column.type, "impl") else None
        if (
            table.primary_key.columns.keys() == ["id"] == [column.name]
            and table.name != "site"
            and isinstance(column.type, Integer)
        ):
            continue
        if type(column.type).__name__ == "Moment":
            row[column.name] = None if column.nullable and number == 3 else NOW
        elif type(column.type).__name__ == "JsonText":
            row[column.name] = {"name": NAME} if number % 2 else {}
        elif kind is bool:
            row[column.name] = bool(number % 2)
        elif kind is int:
            row[column.name] = number + 1
        elif kind is float:
            row[column.name] = number + 0.25
        elif kind is bytes:
            row[column.name] = bytes([0, number, 255])
        else:
            row[column.name] = f"{NAME} {number}"
    return row


def everything(engine):
    with reading(engine) as db:
        return {
            table.name: sorted(
                repr(tuple(row)) for row in db.execute(table.select()) if row[0] != "move:from"
            )
            for table in tables_to_move()
        }


def test_every_row_of_every_table_arrives_as_it_is(run, source, empty_postgres):
    before = everything(source)
    assert all(before.values()), [name for name, rows in before.items() if not rows]

    done = run("move", "--to", empty_postgres)

    assert (done.returncode, done.stderr) == (0, "")
    assert "counts and sums are the same" in done.stdout
    assert "Set MONITOR_DATABASE_URL to the new address" in done.stdout
    target = open_database(empty_postgres)
    assert everything(target) == before == everything(source)
    target.dispose()


def test_ids_of_pages_are_compared_however_many_there_are(run, source, empty_postgres):
    page = Table.metadata.tables["page"]
    with writing(source) as db:
        for number in range(5):
            row = made_row(page, number) | {"site_id": 1, "id": page_id(f"/{number}", "", "")}
            db.execute(insert(page), row)
        ids = db.execute(select(page.c.id)).scalars().all()

    done = run("move", "--to", empty_postgres)

    assert (done.returncode, done.stderr) == (0, "")
    assert sum(ids) > 2**63


def test_new_rows_get_ids_of_their_own_afterwards(run, source, empty_postgres):
    run("move", "--to", empty_postgres)

    done = run("site", "add", "Later", "--key", "later", url=empty_postgres)

    assert (done.returncode, done.stderr) == (0, "")
    target = open_database(empty_postgres)
    with reading(target) as db:
        later = find_site(db, "later")
        assert later is not None
        assert later.id == 1 + max(
            id for (id,) in db.execute(text("SELECT id FROM site WHERE key <> 'later'"))
        )
    target.dispose()


def test_move_that_was_interrupted_goes_on(run, source, empty_postgres, monkeypatch):
    before = everything(source)
    monkeypatch.setattr(database_move, "ROWS_A_BITE", 2)
    insert_rows, bites = database_move._insert, []

    def insert_until_killed(db, table, rows):
        if len(bites) == 9:
            raise KeyboardInterrupt
        bites.append(table.name)
        insert_rows(db, table, rows)

    monkeypatch.setattr(database_move, "_insert", insert_until_killed)
    assert run("move", "--to", empty_postgres).returncode != 0
    moved = list(bites)
    del bites[:]
    bites.append("none")
    monkeypatch.setattr(database_move, "_insert", insert_rows)

    done = run("move", "--to", empty_postgres)

    assert (done.returncode, done.stderr) == (0, "")
    there = sum(min(2 * bites, len(before[name])) for name, bites in Counter(moved).items())
    assert f"from where it was interrupted: {there} are there" in done.stdout
    target = open_database(empty_postgres)
    assert everything(target) == before
    target.dispose()


def test_move_tells_a_log_how_far_it_is(run, source, empty_postgres, monkeypatch):
    monkeypatch.setattr(database_move, "ROWS_A_BITE", 2)
    monkeypatch.setattr(move_progress, "TOLD_EVERY", 0.0)

    done = run("move", "--to", empty_postgres)

    told = re.findall(r"^([\d,]+) of ([\d,]+) rows, \d+ seconds left\.$", done.stdout, re.M)
    rows = str(sum(map(len, everything(source).values())))
    assert told[0] == ("2", rows)
    assert told[-1] == (rows, rows)


def test_file_that_has_changed_meanwhile_is_not_mixed_with_what_was_copied(
    run, source, sqlite_url, empty_postgres, monkeypatch
):
    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(database_move, "_insert", fail)
        run("move", "--to", empty_postgres)
    run("site", "add", "Later", "--key", "later")

    refused = run("move", "--to", empty_postgres)
    done = run("move", "--to", empty_postgres, "--again")

    assert refused.returncode == 1
    assert "the file has changed since: begin anew with --again" in refused.stderr
    assert (done.returncode, done.stderr) == (0, "")
    target = open_database(empty_postgres)
    assert everything(target) == everything(source)
    target.dispose()


def test_database_that_has_sites_is_left_alone(run, source, empty_postgres):
    target = open_database(empty_postgres)
    upgrade_schema(target)
    with writing(target) as db:
        add_site(db, name="Theirs", key="theirs", now=NOW)
    before = everything(target)

    done = run("move", "--to", empty_postgres)
    again = run("move", "--to", empty_postgres, "--again")

    assert done.returncode == again.returncode == 1
    assert "has sites already: name an empty one" in done.stderr
    assert "No move to this database was begun" in again.stderr
    assert everything(target) == before
    target.dispose()


def test_difference_is_found_and_named(run, source, empty_postgres, monkeypatch):
    insert_rows = database_move._insert

    def lose_one(db, table, rows):
        insert_rows(db, table, rows[:-1] if table.name == "drop_count" else rows)

    monkeypatch.setattr(database_move, "_insert", lose_one)

    done = run("move", "--to", empty_postgres)

    assert done.returncode == 1
    assert "drop_count: 7 rows, of which 6 arrived" in done.stderr
    assert "drop_count.hits: the sum is 28, and 21 arrived" in done.stderr


def test_sum_differs_wherever_a_column_does(source):
    """Of each column of each table: another value is another sum."""
    with writing(source) as db:
        for table in tables_to_move():
            before = sums_of(db, table)
            for column in set(table.c) - set(table.primary_key):
                savepoint = db.begin_nested()
                name = f'"{column.name}"'
                longer = f"coalesce({name}, '') || 'x'"
                other = longer if holds_text(db, table, name) else f"1 - coalesce({name}, 0)"
                db.exec_driver_sql(f'UPDATE "{table.name}" SET {name} = {other}')
                after = sums_of(db, table)
                savepoint.rollback()
                assert after.sums[column.name] != before.sums[column.name], column


def holds_text(db, table, name):
    kind = db.exec_driver_sql(f'SELECT typeof({name}) FROM "{table.name}" ORDER BY 1 DESC').scalar()
    return kind in ("text", "blob")


def test_comparison_takes_longer_than_what_the_server_gives_a_statement(
    run, source, empty_postgres, monkeypatch
):
    sums = database_move.sums_of

    def set_timeout(seconds):  # of this table only: a busy machine takes its time for the rest
        monkeypatch.setattr("core.postgres.STATEMENT_TIMEOUT", seconds)

    def add_up_slowly(db, table):
        if table.name == "site":
            if db.dialect.name == "postgresql":
                db.exec_driver_sql("SELECT pg_sleep(1.3)")
                set_timeout(10)
            else:
                sleep(1.3)
                set_timeout(1)
        return sums(db, table)

    monkeypatch.setattr(database_move, "sums_of", add_up_slowly)

    done = run("move", "--to", empty_postgres)

    assert (done.returncode, done.stderr) == (0, "")


def test_collector_that_serves_is_to_be_stopped_first(run, source, sqlite_url, empty_postgres):
    with serving_lock(sqlite_url):
        done = run("move", "--to", empty_postgres)

    assert done.returncode == 1
    assert "stop it first, then move" in done.stderr


def test_dashboard_cannot_write_what_would_be_lost(
    run, source, sqlite_url, empty_postgres, monkeypatch
):
    refused = []

    def try_to_write(*arguments):
        with closing(sqlite3.connect(sqlite_file(sqlite_url) or Path(), timeout=0)) as other:
            try:
                other.execute("UPDATE site SET name = 'lost'")
            except sqlite3.OperationalError as fault:
                refused.append(str(fault))
        return []

    monkeypatch.setattr("core.commands.move.compare", try_to_write)

    assert run("move", "--to", empty_postgres).returncode == 0
    assert refused == ["database is locked"]


@pytest.mark.parametrize("to", ["sqlite:///other.db", "mysql://x", "nonsense", ""])
def test_target_that_is_no_postgres_is_refused_in_one_line(run, source, to):
    done = run("move", "--to", to)

    assert done.returncode == 1
    assert done.stderr.startswith("--to must be the address of a Postgres database")
    assert len(done.stderr.splitlines()) == 1


def test_server_that_is_away_is_named_without_its_password(run, source):
    done = run("move", "--to", "postgresql+psycopg://me:secret@127.0.0.1:1/monitor")

    assert done.returncode == 1
    assert done.stderr.startswith("The new database does not take it: ")
    assert "secret" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_database_on_postgres_has_nothing_to_move(run, empty_postgres):
    done = run("move", "--to", empty_postgres, url=empty_postgres)

    assert done.returncode == 1
    assert "is on Postgres already" in done.stderr


def test_every_table_is_moved():
    assert {table.name for table in tables_to_move()} == set(Table.metadata.tables)
