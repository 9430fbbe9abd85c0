"""What was deleted is given back to the disk, also by files of earlier versions once they were converted."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine

from core.database import empty_log, open_database, reading, writing
from core.file_rewrite import file_size, vacuum
from core.freed_space import KEPT_FREE, can_give_back, give_back, spare_bytes
from core.upgrade import upgrade_database
from tests.helpers.chat_rows import NOW
from tests.helpers.old_schema import make_first_version

PAGE = 4_096
DELETED = 4_000
"""Rows of a page each: 16 MB."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "monitor.db"


def open_old(file: Path) -> Engine:
    """A file as earlier versions made it, with the tables of the first one."""
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE first (text)")
    connection.execute("DROP TABLE first")
    connection.close()
    engine = open_database(f"sqlite:///{file}")
    with writing(engine) as db:
        make_first_version(db)
    return engine


def fill_and_delete(engine: Engine) -> None:
    with writing(engine) as db:
        db.exec_driver_sql("CREATE TABLE filler (text)")
        rows = [("x" * (PAGE - 500),)] * DELETED
        db.exec_driver_sql("INSERT INTO filler VALUES (?)", rows)
    with writing(engine) as db:
        db.exec_driver_sql("DELETE FROM filler")
    assert empty_log(engine)


def test_new_file_gives_back_what_was_deleted_but_for_what_the_next_visits_fill(file):
    engine = open_database(f"sqlite:///{file}")
    fill_and_delete(engine)
    before = file.stat().st_size

    given = give_back(engine, 1_000)
    assert given >= 1_000 * PAGE, "each page that was asked for"
    while spare := spare_bytes(engine):
        given += give_back(engine, min(1_000, -(-spare // PAGE)))
    assert empty_log(engine)

    assert can_give_back(engine)
    assert before - file.stat().st_size == given > DELETED * PAGE - 2 * KEPT_FREE
    engine.dispose()


def test_postgres_gives_back_by_itself(postgres_url):
    engine = open_database(postgres_url)
    assert not can_give_back(engine)
    engine.dispose()


def test_file_of_an_earlier_version_can_give_back_once_it_is_rewritten(file):
    engine = open_old(file)
    assert not can_give_back(engine)
    vacuum(engine)
    assert can_give_back(engine)
    engine.dispose()


def test_upgrade_converts_the_file_and_says_so(file, caplog):
    engine = open_old(file)
    with caplog.at_level(logging.INFO, "core.upgrade"):
        upgrade_database(engine, NOW)
    assert can_give_back(engine)
    assert f"file_rewritten_so_that_it_can_shrink file={file}" in caplog.text
    engine.dispose()


def test_upgrade_without_room_to_convert_says_why_and_goes_on(file, caplog, monkeypatch):
    engine = open_old(file)
    with reading(engine) as db:
        room_for_copy = file_size(db)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=room_for_copy))
    with caplog.at_level(logging.INFO, "core.upgrade"):
        upgrade_database(engine, NOW)
    assert not can_give_back(engine)
    assert "file_cannot_shrink" in caplog.text and "make room there" in caplog.text
    engine.dispose()


def test_start_empties_the_log_that_others_have_left(file):
    engine, other = (open_database(f"sqlite:///{file}") for _ in range(2))
    upgrade_database(engine, NOW)
    with other.connect() as idle:
        idle.exec_driver_sql("SELECT 1").all()
        with writing(engine) as db:
            db.exec_driver_sql("CREATE TABLE filler (text)")
        upgrade_database(engine, NOW)
        assert Path(f"{file}-wal").stat().st_size == 0
    for each in (engine, other):
        each.dispose()
