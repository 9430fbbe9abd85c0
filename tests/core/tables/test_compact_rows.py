"""Rows of before, with the visit's id and all texts in each, become small ones that tell the same."""

from __future__ import annotations

import json
import time

import pytest
from sqlalchemy import text

from collector.writing.hit_batch import commit_hits
from collector.writing.statements import Statements
from collector.writing.visit_cache import VisitCache
from core.database import open_database, reading, writing
from core.schema import upgrade_schema
from core.visits.hit import Event, EventKind, Hit, Opening
from core.visits.tab_state import TabState, read_memory
from tests.helpers.old_visits import fill, stored

VISITS = 400


@pytest.fixture
def engine(bare_database_url):
    engine = open_database(bare_database_url)
    yield engine
    engine.dispose()


def test_every_row_of_before_is_there(engine):
    fill(engine, VISITS)
    before = stored(engine)

    upgrade_schema(engine)

    assert stored(engine) == before
    with reading(engine) as db:
        for table in ("page_view", "visit_span"):
            tabs = db.exec_driver_sql(
                f"SELECT count(DISTINCT tab), max(tab) FROM {table} WHERE tab > 0"
                " GROUP BY site_id, visit_id"
            ).all()
            assert {tuple(row) for row in tabs} == {(1, 1), (2, 2), (3, 3)}
        uses = "SELECT site_id, page, count(*) FROM page_view_row GROUP BY site_id, page"
        told = "SELECT site_id, id, uses FROM page"
        assert sorted(db.exec_driver_sql(uses)) == sorted(db.exec_driver_sql(told))
        order = db.exec_driver_sql(
            "SELECT started_at FROM visit WHERE site_id = 1 ORDER BY number"
        ).scalars()
        moments = list(order)
        assert moments == sorted(moments)
        last = "SELECT s.last, max(v.number), count(*) FROM visit AS v JOIN visit_sequence AS s"
        last += " ON s.site_id = v.site_id GROUP BY v.site_id, s.last"
        assert {tuple(row) for row in db.exec_driver_sql(last)} == {(VISITS // 2,) * 3}
        assert db.exec_driver_sql("SELECT count(*) FROM visit_memory").scalar_one() == 0


def test_visit_that_goes_on_during_the_upgrade_goes_on_after_it(engine):
    fill(engine, 20)
    now = int(time.time() * 1000)
    tab = [3, now, True, 3, now, 3, now, now, 1, "/a", "A", ""]
    memory = {"tabs": {"tabnew01": [*tab], "tabnew02": [1, now]}, "current_tab": "tabnew01"}
    with writing(engine) as db:
        id = db.exec_driver_sql("SELECT min(id) FROM visit WHERE site_id = 1").scalar_one()
        db.execute(
            text("UPDATE visit SET memory = :memory, last_activity_at = :now WHERE id = :id"),
            {"memory": json.dumps(memory | {"chat_tab": "tabnew02"}), "now": now, "id": id},
        )
        known = db.execute(
            text("SELECT count(DISTINCT tab) FROM page_view WHERE visit_id = :id"), {"id": id}
        ).scalar_one()
        views = db.exec_driver_sql("SELECT count(*) FROM page_view").scalar_one()

    upgrade_schema(engine)

    with reading(engine) as db:
        [(kept,)] = db.exec_driver_sql("SELECT memory FROM visit_memory").all()
        told = read_memory(kept)
        expected = TabState(*tab, known + 1)  # pyright: ignore[reportCallIssue]
        assert told.tabs["tabnew01"] == expected
        assert (told.tab_count, told.chat_tab) == (known + 2, known + 2)
        tabs = db.exec_driver_sql("SELECT id, tab FROM visit_tab").all()
        assert ("tabnew02", known + 2) in tabs
        assert len(tabs) == known + 2
        [first] = [name for name, ordinal in tabs if ordinal == 1]
    for name, number in ((first, 1), (first, 9), ("tabnew01", 4)):
        event = Event(EventKind.VIEW, number, now, now, "/b")
        hit = Hit(1, (id,), False, name, now, (event,), Opening())
        commit_hits(engine, Statements(engine), VisitCache(), [hit])
    with reading(engine) as db:
        # The one that was stored before the upgrade is not stored again.
        assert db.exec_driver_sql("SELECT count(*) FROM page_view").scalar_one() == views + 2
