"""Of a visit that a wrong clock has called over nothing is remembered: what comes from it is still stored once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from collector.writing.hit_batch import commit_hits
from collector.writing.statements import Statements
from collector.writing.visit_cache import VisitCache
from core.database import open_database, writing
from core.locks import lock_site
from core.moment import from_milliseconds, to_milliseconds
from core.sites import add_site
from core.visits.hit import Event, EventKind, Hit, Opening
from core.visits.memories import REMEMBERED_FOR, forget_memories
from tests.helpers.running_collector import SECOND, START

NOW = to_milliseconds(START)


@pytest.fixture
def engine(database_url):
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("is_kept", [True, False], ids=["by the same writer", "by another"])
def test_visit_without_a_memory_goes_on(engine, is_kept):
    with writing(engine) as db:
        site = add_site(db, name="Shop", key="shop", now=START)
    site_id, statements, cache = site.id or 0, Statements(engine), VisitCache()

    def take(number: int, path: str, cache: VisitCache) -> None:
        at = NOW + number * SECOND
        event = Event(EventKind.VIEW, number, at, at, path)
        hit = Hit(site_id, ("visitor000000001",), False, "tab1", at, (event,), Opening())
        commit_hits(engine, statements, cache, [hit])

    take(1, "/one", cache)
    with writing(engine) as db:
        lock_site(db, site_id)
        ahead = from_milliseconds(NOW) + REMEMBERED_FOR + timedelta(minutes=1)
        assert forget_memories(db, site_id, ahead, 10) == 1
    take(2, "/two", cache if is_kept else VisitCache())
    take(3, "/three", VisitCache())

    with writing(engine) as db:
        views = db.exec_driver_sql("SELECT path, tab FROM page_view ORDER BY number").all()
        remembered = db.exec_driver_sql("SELECT count(*) FROM visit_memory").scalar_one()
    assert views == [("/one", 1), *((path, 1 if is_kept else 2) for path in ("/two", "/three"))]
    assert remembered == 1
