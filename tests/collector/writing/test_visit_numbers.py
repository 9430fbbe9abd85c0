"""Which visit of a remembered visitor it is, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import text

from collector.writing.statements import NEWEST_VISITS, Statements
from collector.writing.visit_batch import VisitBatch
from core.database import open_database, writing
from core.visits.hit import Event, EventKind, Hit, Opening
from tests.helpers.running_collector import DAY, HOUR, MINUTE, START, FakeClock, view
from tests.helpers.statement_watch import watched_statements

NOW = int(START.timestamp() * 1000)
ADA, BEN = "a" * 16, "b" * 16


@pytest.fixture
def engine(database_url):
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def record(engine) -> Callable[..., None]:
    """record(hits): in one batch."""
    statements = Statements(engine)

    def record(hits: Sequence[Hit]) -> None:
        with writing(engine) as connection:
            batch = VisitBatch(statements, connection, max(hit.received_at for hit in hits))
            batch.load(hits)
            for hit in hits:
                batch.record(hit)
            batch.store()

    return record


def hit(visit: str, visitor: str = ADA, at: int = NOW, tab: str = "tab1", site_id: int = 7) -> Hit:
    """One page view."""
    shown = Event(EventKind.VIEW, 1, at, at, "/")
    opening = Opening(visitor_id=visitor)
    return Hit(site_id, (visit,), False, tab, at, (shown,), opening)


def numbers(engine) -> dict[str, int]:
    with engine.connect() as db:
        return dict(db.execute(text("SELECT id, visit_number FROM visit")).all())


def test_visits_of_a_visitor_are_numbered(record, engine):
    for day in range(12):
        record([hit(f"day{day}", at=NOW + day * DAY), hit(f"ben{day}", BEN if day > 9 else "")])

    assert numbers(engine) == {
        **{f"day{day}": day + 1 for day in range(12)},
        **{f"ben{day}": 0 for day in range(10)},
        "ben10": 1,
        "ben11": 2,
    }


def test_visits_that_open_in_one_batch_are_numbered_in_their_order(record, engine):
    record([hit("1", at=NOW - HOUR)])

    record([hit("2"), hit("2", tab="tab2"), hit("3"), hit("b", BEN), hit("x", site_id=8)])

    assert numbers(engine) == {"1": 1, "2": 2, "3": 3, "b": 1, "x": 1}


def test_delivery_that_is_repeated_opens_no_further_visit(record, engine):
    for _ in range(2):
        record([hit("1"), hit("1")])
    record([hit("2")])

    assert numbers(engine) == {"1": 1, "2": 2}


def test_number_goes_on_after_earlier_visits_were_deleted(record, engine):
    for day in range(3):
        record([hit(f"day{day}", at=NOW + day * DAY)])
    with writing(engine) as db:
        db.execute(text("DELETE FROM visit WHERE id IN ('day0', 'day1')"))

    record([hit("day3", at=NOW + 3 * DAY)])

    assert numbers(engine) == {"day2": 3, "day3": 4}


@pytest.mark.parametrize(("stored", "number"), [(2, 3), (NEWEST_VISITS, 9), (12, 9)])
def test_number_goes_on_after_visits_that_were_stored_without_one(record, engine, stored, number):
    for day in range(stored):
        record([hit(f"day{day}", at=NOW + day * DAY)])
    with writing(engine) as db:
        db.execute(text("UPDATE visit SET visit_number = 0"))

    for day in range(stored, stored + 2):
        record([hit(f"day{day}", at=NOW + day * DAY)])

    found = numbers(engine)
    assert (found[f"day{stored}"], found[f"day{stored + 1}"]) == (number, number + 1)


def test_visit_that_is_delivered_late_takes_the_next_number_and_so_does_the_one_after(
    record, engine
):
    record([hit("1", at=NOW - HOUR)])
    record([hit("2")])

    record([hit("late", at=NOW - 20 * MINUTE)])
    record([hit("4", at=NOW + NEWEST_VISITS)])

    assert numbers(engine) == {"1": 1, "2": 2, "late": 3, "4": 4}


def test_no_statement_looks_for_visitors_who_are_not_remembered_or_already_here(record, engine):
    record([hit("1")])
    with watched_statements() as seen:
        record([hit("1", tab="tab2"), hit("anonymous", "")])
        assert not looks_for_visitors(seen)
        record([hit(f"visit{number}", f"{number:016}") for number in range(40)])
    assert len(looks_for_visitors(seen)) == 1


def looks_for_visitors(statements: list[str]) -> list[str]:
    return [each for each in statements if "visitor_id" in each and "max(" in each]


def test_successor_of_a_visit_that_is_over_is_the_next(run_collector, database_url):
    clock = FakeClock()
    collector = run_collector(database_url, clock=clock)
    collector.post(view(), visitor=ADA)
    clock.advance(HOUR)

    collector.post(view(2), visitor=ADA)

    rows = collector.rows("SELECT visit_number, follows <> '' FROM visit ORDER BY started_at")
    assert [tuple(row) for row in rows] == [(1, False), (2, True)]


def test_numbers_are_found_by_index(sqlite_url):
    engine = open_database(sqlite_url)
    with engine.connect() as db:
        with watched_statements() as seen:
            Statements(engine).load_visit_numbers(db, 7, [ADA])
        plan = str(db.exec_driver_sql(f"EXPLAIN QUERY PLAN {seen[-1]}").all())
    engine.dispose()

    assert "visit_by_visitor (site_id=? AND visitor_id=?)" in plan
    assert "TEMP B-TREE" not in plan
