"""SQLite's file, written anew: nothing that was deleted is left in it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sqlalchemy import make_url, update
from sqlmodel import col

from core.database import empty_log, open_database, reading, writing
from core.file_rewrite import ask_for_rewrite, asked_rewrite, file_size, rewrite_file
from core.removal import delete_visits
from core.tables import Visit
from tests.helpers.chat_rows import NOW, add_visit
from tests.helpers.stored_rows import store_views

VISITS, GROWN = 1_500, 700


def grow_and_delete(engine) -> list[bytes]:
    """Visits that grow until pages are split, some of which are deleted; returns the words of these."""
    chance = random.Random(1)
    ids = [f"{chance.getrandbits(64):016x}" for _ in range(VISITS)]
    with writing(engine) as db:
        for visit in ids:
            add_visit(db, visit, 1, entry_path=f"/word{visit}")
    for number in range(8):
        with writing(engine) as db:
            for visit in chance.sample(ids, GROWN):
                is_visit = (col(Visit.site_id) == 1, col(Visit.id) == visit)
                memory = f"word{visit} " * chance.randint(1, 60)
                db.execute(update(Visit).where(*is_visit).values(referrer=memory))
                path = f"/word{visit}" * chance.randint(1, 30)
                key = {"site_id": 1, "visit_id": visit, "tab": chance.getrandbits(30)}
                store_views(db, [{**key, "number": number, "viewed_at": NOW, "path": path}])
    gone = ids[:400]
    with writing(engine) as db:
        delete_visits(db, 1, gone)
    return [f"word{visit}".encode() for visit in gone]


@pytest.mark.long
def test_nothing_deleted_is_left_in_a_file_that_is_rewritten(sqlite_url):
    file = Path(make_url(sqlite_url).database or "")
    engine = open_database(sqlite_url)
    words = grow_and_delete(engine)
    assert empty_log(engine)
    before = file.read_bytes()
    # With secure_delete on: the reason why the file has to be rewritten at all.
    assert [word for word in words if word in before]

    rewrite_file(engine, "")
    assert empty_log(engine)

    assert [word for word in words if word in file.read_bytes()] == []
    with reading(engine) as db:
        assert file_size(db) == file.stat().st_size < len(before)
        assert len(db.execute(Visit.__table__.select()).all()) == VISITS - 400  # pyright: ignore
    engine.dispose()


def test_request_that_was_made_meanwhile_stays(database):
    with writing(database) as db:
        ask_for_rewrite(db)
        first = asked_rewrite(db)
        ask_for_rewrite(db)
        second = asked_rewrite(db)
    if database.dialect.name == "postgresql":
        assert (first, second) == ("", "")
        return
    rewrite_file(database, first)
    with reading(database) as db:
        assert asked_rewrite(db) == second
    rewrite_file(database, second)
    with reading(database) as db:
        assert asked_rewrite(db) == ""


def test_reader_sees_what_it_saw_while_the_file_is_rewritten(sqlite_url):
    engine = open_database(sqlite_url)
    with writing(engine) as db:
        add_visit(db, "visit", 1)
    with reading(engine) as db:
        visits = Visit.__table__.select()  # pyright: ignore
        before = db.execute(visits).all()
        rewrite_file(engine, "")
        assert db.execute(visits).all() == before
    engine.dispose()
