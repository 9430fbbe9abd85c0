"""Parts of a question that are read over two connections say what one connection says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.pool import QueuePool

from core.database import open_database, reading, writing
from core.moment import to_milliseconds
from core.rollups.dimensions import Dimension
from core.sites import add_site
from core.tables import Site
from core.trends import (
    DEFAULT_STEPS,
    TrendFilters,
    TrendPeriod,
    counted_days,
    counts,
    funnel,
    side_by_side,
    trends,
    visit_parts,
)
from core.trends.counted_days import CountedSite
from core.trends.side_by_side import read_parts
from core.trends.site_trends import LISTS
from tests.helpers.day_counting import count_days
from tests.helpers.past_visits import in_order, make_visits, store

SITE = Site(
    id=7,
    key="shop",
    name="Shop",
    time_zone="Europe/Berlin",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
ROOT = Path(__file__).resolve().parents[3]
NOWHERE = "sqlite:////dev/null/monitor.db"
PERIOD = TrendPeriod(date(2026, 11, 1), date(2026, 11, 20), "Europe/Berlin")
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """The second connections of questions, in the order in which these have had them."""
    found: list[Connection] = []
    connections = side_by_side.reading

    @contextmanager
    def note(engine: Engine) -> Generator[Connection]:
        with connections(engine) as opened:
            found.append(opened)
            yield opened

    monkeypatch.setattr(side_by_side, "reading", note)
    return found


def test_counts_and_funnel_are_those_of_one_connection(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, met: list[Connection]
) -> None:
    with writing(engine) as db:
        store(db, make_visits(7, PERIOD.bounds, 400, seed=3))
    monkeypatch.setattr(counted_days, "MOST_UNCOUNTED", 100)
    answers: list[tuple[list[tuple[Any, ...]], int, str]] = []
    told: list[float] = []
    for at_once in (10_000, 40):
        monkeypatch.setattr(visit_parts, "AT_ONCE", at_once)
        with reading(engine) as db:
            chosen = TrendFilters(device="Desktop")
            found = counts.count_period(
                db, CountedSite.read(db, SITE), PERIOD.bounds, chosen, list(Dimension), told.append
            )
            shown = funnel(db, SITE, PERIOD, DEFAULT_STEPS)
        answers.append((in_order(found), shown.visits, shown.steps.to_csv()))
    assert answers[0] == answers[1]
    assert len(answers[0][0]) > 20 and len(told) > 5
    assert len(met) == 2


def test_cards_of_counted_days_are_those_of_one_connection(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, met: list[Connection]
) -> None:
    with writing(engine) as db:
        site = add_site(db, name="Shop", key="shop", time_zone=PERIOD.time_zone, now=NOW)
        store(db, make_visits(site.id or 0, PERIOD.bounds, 400, seed=5))
        store(db, make_visits(site.id or 0, PERIOD.before().bounds, 300, seed=6))
    count_days(engine, to_milliseconds(NOW))

    def told() -> list[str]:
        with reading(engine) as db:
            cards = trends(db, site, PERIOD, NOW)
        return [getattr(cards, name).to_csv() for name in (*LISTS, "totals", "series", "heat_map")]

    side_by_side_told = told()
    assert len(met) == 1
    monkeypatch.setattr(side_by_side, "MOST_IN_USE", 0)
    assert told() == side_by_side_told
    assert len(met) == 1


def test_parts_come_in_their_order_from_two_connections_at_a_time(engine: Engine) -> None:
    both = Barrier(2, timeout=20)
    used: set[int] = set()

    def read(db: Connection, part: int) -> int:
        both.wait()
        used.add(id(db))
        return db.execute(text("SELECT :part"), {"part": part}).scalar_one()

    with reading(engine) as db:
        assert [*read_parts(db, range(10), read)] == [(part, part) for part in range(10)]
        assert id(db) in used and len(used) == 2


def test_question_with_nothing_to_gain_or_no_second_connection_reads_alone(engine: Engine) -> None:
    used: set[int] = set()

    def read(db: Connection, _part: int) -> None:
        used.add(id(db))

    with reading(engine) as db:
        assert len([*read_parts(db, [1], read)]) == 1
        assert len([*read_parts(db, [1, 2, 3], read, is_level=lambda other: False)]) == 3
        for part, _ in read_parts(db, [1, 2, 3], lambda db, part: None):
            if part == 1:  # this question has the second connection now
                assert len([*read_parts(db, [4, 5, 6], read)]) == 3
        assert used == {id(db)}


@pytest.mark.parametrize("fault", ["not level", "is_level raises", "will not open"])
def test_second_connection_that_is_not_used_is_given_back_at_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    def is_level(other: Connection) -> bool:
        if fault == "is_level raises":
            other.connection.invalidate()  # as by a server that has ended it
            other.execute(text("SELECT 1"))
        return False

    if fault == "will not open":
        monkeypatch.setattr(side_by_side, "reading", lambda engine: reading(open_database(NOWHERE)))
    in_use: list[int] = []

    def read(db: Connection, part: int) -> None:
        assert isinstance(engine.pool, QueuePool)
        in_use.append(engine.pool.checkedout())

    with reading(engine) as db:
        assert len([*read_parts(db, [1, 2, 3], read, is_level=is_level)]) == 3
        assert in_use == [1, 1, 1]
        monkeypatch.undo()
        found = read_parts(db, [1, 2], lambda db, part: id(db))
        assert len({each for _, each in found}) >= 1  # the lock is free again


def test_second_connection_that_dies_after_its_last_part_costs_nothing(engine: Engine) -> None:
    seconds: list[Connection] = []

    def is_level(other: Connection) -> bool:
        seconds.append(other)
        return True

    with reading(engine) as db:
        for part, _ in read_parts(db, [1, 2, 3], lambda db, part: None, is_level=is_level):
            if part == 3:
                driver = seconds[0].connection.driver_connection
                assert driver is not None
                driver.close()


def test_process_ends_while_parts_are_read(database_url: str) -> None:
    asked = f"""
import threading, time
from core.database import open_database, reading
from core.trends.side_by_side import read_parts

def ask():
    with reading(open_database({database_url!r})) as db:
        list(read_parts(db, [1, 2, 3], lambda db, part: begun.set() or time.sleep(600)))

begun = threading.Event()
threading.Thread(target=ask, daemon=True).start()
assert begun.wait(30)
"""
    subprocess.run([sys.executable, "-c", asked], check=True, timeout=60, cwd=ROOT)


def test_what_fails_in_one_part_ends_the_question_and_gives_the_connection_back(
    engine: Engine,
) -> None:
    begun: list[int] = []

    def read(db: Connection, part: int) -> int:
        begun.append(part)
        return 1 // part

    with reading(engine) as db:
        taken: list[int] = []
        with pytest.raises(ZeroDivisionError):
            for part, _ in read_parts(db, [3, 2, 1, 0, *range(1, 90)], read):
                taken.append(part)
        assert taken == [3, 2, 1] and len(begun) < 10
        assert isinstance(engine.pool, QueuePool) and engine.pool.checkedout() == 1
        assert [*read_parts(db, [1, 1], read)] == [(1, 1), (1, 1)]
