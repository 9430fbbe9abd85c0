"""The clock jumps: nothing ends before it begins, and what a wrong clock has written heals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from collector.writing.statements import Statements
from collector.writing.visit_batch import VisitBatch
from collector.writing.visits_ahead import set_back_visits, visits_ahead
from core.database import open_database, reading, writing
from core.frames import picture_at
from core.frames.journey import visitor_at
from core.moment import from_milliseconds, milliseconds
from core.sites import find_site
from core.tables import Site
from core.visits.hit import Accepted, ChatReport, Event, EventKind, Hit, Opening
from core.visits.presence import CLOCK_SLACK
from tests.helpers.collector_chats import VISIT, attend, open_chat
from tests.helpers.running_collector import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    START,
    FakeClock,
    RunningCollector,
    view,
    wait_for,
)

pytestmark = pytest.mark.long

NOW = int(START.timestamp() * 1000)
SLACK = milliseconds(CLOCK_SLACK)
_site_ids = count(100)

ENDS_BEFORE_IT_BEGINS = """
    SELECT 'span', visit_id, from_at, until_at FROM visit_span
    WHERE site_id = :site AND until_at < from_at
    UNION ALL SELECT 'visit', id, started_at, last_seen_at FROM visit
    WHERE site_id = :site AND (last_seen_at < started_at OR last_activity_at < started_at)
"""
AHEAD = """
    SELECT 'span', visit_id, until_at FROM visit_span WHERE site_id = :site AND until_at > :latest
    UNION ALL SELECT 'view', visit_id, viewed_at FROM page_view
    WHERE site_id = :site AND viewed_at > :latest
    UNION ALL SELECT 'visit', id, last_seen_at FROM visit
    WHERE site_id = :site AND (last_seen_at > :latest OR last_activity_at > :latest
                               OR in_view_until > :latest + 90000 OR chat_started_at > :latest)
"""


class ClockStep(NamedTuple):
    """The clock moves, then a tab sends an event that happened `age` ago, `quiet` after an interaction."""

    moves: int
    kind: EventKind
    tab: str
    age: int
    quiet: int
    chat: ChatReport


steps = st.lists(
    st.builds(
        ClockStep,
        st.sampled_from(
            [
                *(0, SECOND, 20 * SECOND, 20 * SECOND, 91 * SECOND, 10 * MINUTE, HOUR, DAY),
                *(-SECOND, -4 * MINUTE, -6 * MINUTE, -HOUR, -HOUR, -DAY),
            ]
        ),
        st.sampled_from(EventKind),
        st.sampled_from(["tab1", "tab2"]),
        st.sampled_from([0, 0, 0, 2 * SECOND, 20 * MINUTE]),
        st.sampled_from([0, 30 * SECOND, HOUR]),
        st.sampled_from(ChatReport),
    ),
    min_size=1,
    max_size=14,
)


def a(kind: EventKind, moves: int, tab: str = "tab1", **more: Any) -> ClockStep:
    return ClockStep(moves, kind, tab, **{"age": 0, "quiet": 0, "chat": ChatReport.START} | more)


class Walk:
    """A visitor of a site of its own whose beacons the writer's batches take, one after the other."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.statements = Statements(engine)
        self.site_id = next(_site_ids)
        self.now = NOW
        self.visit_id = "visitor000000001"
        self.number = 0
        self.take(a(EventKind.VIEW, 0))

    def take(self, step: ClockStep) -> None:
        self.now += step.moves
        self.number += 1
        at = self.now - step.age
        event = Event(
            step.kind,
            self.number,
            at,
            at if step.kind is EventKind.VIEW else at - step.quiet,
            f"/{self.number}",
            focused=True,
            chat=step.chat if step.kind is EventKind.CHAT else None,
            attributes={"name": "Ann"} if step.kind is EventKind.IDENTIFY else None,
        )
        opening = Opening() if step.kind is EventKind.VIEW else None
        hit = Hit(self.site_id, (self.visit_id,), False, step.tab, self.now, (event,), opening)
        with writing(self.engine) as connection:
            batch = VisitBatch(self.statements, connection, self.now)
            batch.load([hit])
            result = batch.record(hit)
            batch.store()
        if isinstance(result, Accepted):
            self.visit_id = result.visit_id
            ahead = self.rows(AHEAD, latest=self.now + SLACK)
            assert [row for row in ahead if row[1] == self.visit_id] == []
        if step.kind is EventKind.VIEW and not step.age:
            assert self.is_here()
        assert self.rows(ENDS_BEFORE_IT_BEGINS) == []

    def is_here(self) -> bool:
        """Whether the page shows the visitor, in view."""
        [row] = self.rows(
            "SELECT in_view_until, last_activity_at, started_at FROM visit WHERE id = :id "
            "AND site_id = :site",
            id=self.visit_id,
        )
        in_view_until, active_at, started_at = row
        is_plausible = max(active_at, started_at) <= self.now + SLACK
        return in_view_until > self.now and active_at > self.now - 30 * MINUTE and is_plausible

    def set_back(self) -> None:
        """What the collector does every half minute."""
        with writing(self.engine) as connection:
            found = visits_ahead(connection, self.site_id, from_milliseconds(self.now), 1_000)
            batch = VisitBatch(self.statements, connection, self.now)
            batch.heal(self.site_id, found)
            batch.store()

    def rows(self, sql: str, **values: Any) -> Sequence[Any]:
        with reading(self.engine) as connection:
            return connection.execute(text(sql), {"site": self.site_id, **values}).all()

    def times_on_pages(self) -> list[int]:
        """Seconds that the live table and the visitor's page show."""
        now = from_milliseconds(self.now)
        site = Site(id=self.site_id, key="walk", name="Walk", created_at=START)
        with reading(self.engine) as connection:
            found: list[int] = []
            for (visit_id,) in self.rows("SELECT id FROM visit WHERE site_id = :site"):
                journey = visitor_at(connection, site, visit_id, now, now)
                assert journey is not None
                found += [journey.listed["time_on_site"], journey.listed["idle_seconds"]]
                found += journey.page_views["seconds"].tolist()
        return found


def walk(engine: Engine, path: list[ClockStep]) -> None:
    """Walk it; at the end nothing is ahead, and no page shows a negative time."""
    visitor = Walk(engine)
    for step in path:
        visitor.take(step)
    visitor.set_back()
    assert visitor.rows(AHEAD, latest=visitor.now + SLACK) == []
    assert visitor.rows(ENDS_BEFORE_IT_BEGINS) == []
    assert min(visitor.times_on_pages()) >= 0


@pytest.fixture
def engine(sqlite_url: str) -> Any:
    engine = open_database(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_engine(postgres_url: str) -> Any:
    engine = open_database(postgres_url)
    yield engine
    engine.dispose()


IN_ONE_DATABASE = [HealthCheck.function_scoped_fixture]
"""Each example has a site of its own."""
AN_HOUR_AHEAD_AND_BACK = [
    a(EventKind.VIEW, HOUR),
    a(EventKind.CHAT, SECOND),
    a(EventKind.PRESENCE, 20 * SECOND),
    a(EventKind.PRESENCE, -HOUR),
    a(EventKind.CHAT, SECOND, chat=ChatReport.END),
    a(EventKind.HIDDEN, SECOND),
    a(EventKind.VIEW, 20 * SECOND),
]


@settings(deadline=None, max_examples=60, suppress_health_check=IN_ONE_DATABASE)
@given(steps)
@example(AN_HOUR_AHEAD_AND_BACK)
@example([a(EventKind.PRESENCE, -HOUR), a(EventKind.VIEW, SECOND)])
@example([a(EventKind.CHAT, SECOND), a(EventKind.CHAT, 0, age=20 * MINUTE, chat=ChatReport.END)])
def test_nothing_ends_before_it_begins_however_the_clock_walks(engine, path):
    walk(engine, path)


@settings(deadline=None, max_examples=6, suppress_health_check=IN_ONE_DATABASE)
@given(steps)
@example(AN_HOUR_AHEAD_AND_BACK)
def test_nothing_ends_before_it_begins_on_postgres_either(postgres_engine, path):
    walk(postgres_engine, path)


def faults_of(collector: RunningCollector) -> list[Any]:
    """What ends before it begins, and what is ahead of the clock."""
    latest = collector.clock.now + SLACK
    return [
        *collector.rows(ENDS_BEFORE_IT_BEGINS, site=1),
        *collector.rows(AHEAD, site=1, latest=latest),
    ]


def shown(collector: RunningCollector) -> list[str]:
    """The ids of the visitors that the page shows."""
    with reading(collector.engine) as db:
        site = find_site(db, "shop1")
        assert site is not None
        now = from_milliseconds(collector.clock.now)
        picture = picture_at(db, [site], now, now)
    return picture.visitors["id"].tolist()


@pytest.mark.parametrize("restarts", [False, True], ids=["between two beacons", "over a restart"])
@pytest.mark.parametrize("jump", [HOUR, -HOUR, -DAY, 4 * MINUTE, -4 * MINUTE])
def test_visitor_is_shown_again_after_the_clock_has_jumped(
    run_collector: Callable[..., RunningCollector], database_url: str, jump: int, restarts: bool
) -> None:
    collector = run_collector(database_url)
    visit = collector.post(view(1)).json()["s"]
    collector.clock.advance(20 * SECOND)
    collector.post({"e": "p", "n": 2, "u": "/", "f": 1, "a": 1})
    clock = FakeClock(from_milliseconds(collector.clock.now + jump))
    if restarts:
        collector = run_collector(database_url, clock=clock)
    else:
        collector.clock.now = clock.now

    collector.post({"e": "p", "n": 3, "u": "/", "f": 1, "a": 0})
    collector.clock.advance(20 * SECOND)
    answer = collector.post(view(4, "/cart"))

    assert answer.status_code == 200
    assert shown(collector) == [answer.json()["s"]]
    assert (answer.json()["s"] == visit) is (abs(jump) < HOUR or jump < 0)
    assert faults_of(collector) == []


def test_visit_of_a_clock_that_ran_ahead_is_set_back_though_nothing_comes_from_it(
    run_collector: Callable[..., RunningCollector], database_url: str
) -> None:
    ahead = run_collector(database_url, clock=FakeClock(from_milliseconds(NOW + DAY)))
    ahead.post(view(1))
    ahead.post({"e": "c", "n": 2, "u": "/", "s": "start"})
    collector = run_collector(database_url, clock=FakeClock())

    while set_back_visits(collector.engine, collector.clock.now):
        pass

    assert faults_of(collector) == []
    collector.clock.advance(DAY)
    assert shown(collector) == [], "a ghost, a day later"


def test_running_collector_sets_such_visits_back_by_itself(
    run_collector: Callable[..., RunningCollector], database_url: str
) -> None:
    ahead = run_collector(database_url, clock=FakeClock(from_milliseconds(NOW + DAY)))
    ahead.post(view(1))

    collector = run_collector(database_url, clock=FakeClock())

    wait_for(lambda: faults_of(collector) == [])


@pytest.mark.parametrize("jump", [HOUR, -HOUR, -DAY])
def test_chat_across_a_jump_leaves_no_span_that_ends_before_it_begins(
    run_collector: Callable[..., RunningCollector], database_url: str, jump: int
) -> None:
    collector = run_collector(database_url)
    attend(collector)
    token = open_chat(collector)
    collector.clock.advance(jump)

    said = collector.call("send", c=token, n="message1", x="Are you there?")
    ended = collector.call("end", c=token)
    collector.post(view(2), visit=VISIT)

    assert {said.status_code, ended.status_code} <= {200, 204, 410}
    assert collector.rows(ENDS_BEFORE_IT_BEGINS, site=1) == []
