"""Who changes visits says so, and for one visit the others are still trusted."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, update
from sqlmodel import col

from core.database import open_database, reading, writing
from core.tables import Visit, VisitEdit
from core.visits.visit_edits import LONGEST, note_all_edited, note_edit
from tests.helpers.edit_watch import unsaid_edits

WRITTEN = {"writer": "w" * 20, "batch": 5, "edited_visits": ""}


@pytest.fixture
def known(database):
    """Sites 7 and 8, whose visits a writer has written."""
    with writing(database) as db:
        db.execute(insert(VisitEdit), [{"site_id": id, **WRITTEN} for id in (7, 8)])
    return database


def edits(database):
    with reading(database) as db:
        rows = db.execute(select(VisitEdit).order_by(col(VisitEdit.site_id))).mappings().all()
    return {row["site_id"]: (row["writer"], row["batch"], row["edited_visits"]) for row in rows}


def test_edited_visits_are_listed_by_their_id(known):
    with writing(known) as db:
        note_edit(db, 7, "ann")
        note_edit(db, 7, "bob")
    assert edits(known) == {7: ("w" * 20, 5, "ann bob "), 8: ("w" * 20, 5, "")}


def test_after_any_visits_are_edited_no_writer_is_trusted(known):
    with writing(known) as db:
        note_edit(db, 7, "ann")
        note_all_edited(db, [7, 9])
        note_edit(db, 7, "bob")
    assert edits(known) == {7: ("", 5, ""), 8: ("w" * 20, 5, ""), 9: ("", 0, "")}


def test_one_edited_visit_of_a_site_without_a_writer_is_as_all(database):
    with writing(database) as db:
        note_edit(db, 7, "ann")
        note_edit(db, 7, "ann")
    assert edits(database)[7][0] == ""


def test_too_many_edited_visits_count_as_all(known):
    with writing(known) as db:
        for number in range(LONGEST // 20 + 2):
            note_edit(db, 7, f"visit{number:014d}")
        assert edits_of(db) == ("", "")


def edits_of(db):
    return db.execute(
        select(col(VisitEdit.writer), col(VisitEdit.edited_visits)).where(
            col(VisitEdit.site_id) == 7
        )
    ).one()


def test_an_edit_that_nobody_says_is_seen_by_the_tests(sqlite_url):
    name = f"{__file__.rpartition('/tests/')[0]}/core/unsaid.py"
    scope = {"update": update, "Visit": Visit}
    code = "def change(db):\n    db.execute(update(Visit).values(country='DE'))\n"
    exec(compile(code, name, "exec"), scope)  # as if it stood in core/
    engine = open_database(sqlite_url)
    with writing(engine) as db:
        scope["change"](db)
    engine.dispose()
    assert [each.split()[1] for each in unsaid_edits] == ["visit"]
    unsaid_edits.clear()
