"""A visit with more tabs than are remembered, as that of people behind one address: each tab stays one tab."""

from __future__ import annotations

import pytest

from collector.writing.hit_batch import commit_hits
from collector.writing.statements import Statements
from collector.writing.visit_cache import VisitCache
from core.database import open_database, reading, writing
from core.moment import to_milliseconds
from core.sites import add_site
from core.visits.hit import Event, EventKind, Hit, Opening
from core.visits.tab_state import MAX_TABS
from tests.helpers.running_collector import SECOND, START

NOW = to_milliseconds(START)


@pytest.fixture
def engine(database_url):
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("is_kept", [True, False], ids=["by the same writer", "by another"])
def test_tab_that_is_forgotten_in_a_batch_and_comes_again_in_it_is_the_same_tab(engine, is_kept):
    with writing(engine) as db:
        site = add_site(db, name="Shop", key="shop", now=START)
    site_id, statements, cache = site.id or 0, Statements(engine), VisitCache()

    def view(tab: str, number: int, at: int) -> Hit:
        event = Event(EventKind.VIEW, number, at, at, f"/{tab}/{number}")
        return Hit(site_id, ("visitor000000001",), False, tab, at, (event,), Opening())

    commit_hits(engine, statements, cache, [view("first", 1, NOW), view("first", 2, NOW)])
    others = [view(f"tab{each:05d}", 1, NOW + each * SECOND) for each in range(1, MAX_TABS + 1)]
    again = [view("first", 2, NOW), view("first", 3, NOW + 60 * SECOND)]
    commit_hits(engine, statements, cache if is_kept else VisitCache(), [*others, *again])

    with reading(engine) as db:
        tabs = db.exec_driver_sql("SELECT tab FROM visit_tab WHERE id = 'first'").all()
        views = db.exec_driver_sql("SELECT tab, number FROM page_view ORDER BY tab, number").all()
        counted = db.exec_driver_sql("SELECT page_count FROM visit").scalar_one()
        uses = db.exec_driver_sql("SELECT sum(uses) FROM page").scalar_one()
        changes = db.exec_driver_sql("SELECT count(*) FROM visit_change WHERE kind = 'page'")
        pages = changes.scalar_one()
    assert tabs == [(1,)]
    assert views == [(1, 1), (1, 2), (1, 3), *((tab, 1) for tab in range(2, MAX_TABS + 2))]
    assert counted == len(views)
    assert uses == len(views) + pages
