"""The collectors' heartbeats: the newest of each, and no old ones."""

from datetime import timedelta

import pytest
from sqlmodel import select

from core.heartbeat import (
    KEPT_FOR,
    CollectorLoad,
    Heartbeat,
    HeartbeatWatch,
    Silence,
    heartbeats,
    record_heartbeat,
)
from core.tables import Collector
from core.visits.presence import CLOCK_SLACK
from tests.helpers.chat_rows import INSTANT, NOW


def beat(db, collector, at):
    record_heartbeat(db, collector, "1.2.3", NOW, at)


def test_each_collector_has_its_newest_heartbeat(db):
    assert heartbeats(db) == frozenset()

    for seconds in (0, 10):
        beat(db, "a", NOW + timedelta(seconds=seconds))
    beat(db, "b", NOW)

    assert heartbeats(db) == {Heartbeat("a", NOW + timedelta(seconds=10)), Heartbeat("b", NOW)}


def test_newest_heartbeat_says_how_the_collector_is(db):
    beat(db, "a", NOW)
    record_heartbeat(db, "a", "1.2.3", NOW, NOW, CollectorLoad(7, 120, NOW))
    statement = select(Collector.queued, Collector.commit_ms, Collector.reader_since)
    assert db.execute(statement).one() == (7, 120, NOW)
    beat(db, "a", NOW)
    assert db.execute(statement).one() == (0, 0, None)


@pytest.mark.parametrize(
    ("ago", "is_kept"),
    [
        (KEPT_FOR - INSTANT, True),
        (KEPT_FOR, False),
        (-CLOCK_SLACK, True),
        (-CLOCK_SLACK - INSTANT, False),
    ],
)
def test_collector_that_has_ended_is_forgotten_after_a_while(db, ago, is_kept):
    beat(db, "old", NOW - ago)

    beat(db, "new", NOW)

    assert {each.collector for each in heartbeats(db)} == {"new", *(["old"] if is_kept else [])}


def test_collector_that_starts_again_and_again_leaves_few_heartbeats(db):
    for minutes in range(200):
        beat(db, str(minutes), NOW + timedelta(minutes=minutes))

    assert len(heartbeats(db)) == 60


def test_last_collector_is_never_forgotten(db):
    beat(db, "a", NOW + 900 * KEPT_FOR)
    beat(db, "a", NOW)

    assert heartbeats(db) == {Heartbeat("a", NOW)}


class Watched:
    """A watch, and the clocks by which it looks: a collector's, a dashboard's, and seconds that never jump."""

    def __init__(self, ago: int | None = 0) -> None:
        self.watch = HeartbeatWatch()
        self.at = 1_000.0
        self.now = NOW
        self.found: frozenset[Heartbeat] = frozenset()
        if ago is not None:
            self.beat(ago)

    def beat(self, ago: int = 0) -> None:
        self.found = frozenset({Heartbeat("a", self.now - timedelta(seconds=ago))})

    def after(self, seconds: float, *, looks_every: float = 5) -> Silence | None:
        """What it says after so long, having looked all the time."""
        silence = self.look()
        while seconds > 0:
            step = min(seconds, looks_every)
            self.wait(step)
            silence = self.look()
            seconds -= step
        return silence

    def wait(self, seconds: float) -> None:
        self.at += seconds
        self.now += timedelta(seconds=seconds)

    def look(self) -> Silence | None:
        return self.watch.look(self.found, self.now, self.at)


@pytest.mark.parametrize(("seconds", "is_silent"), [(59, False), (60, True), (61, True)])
def test_collector_is_silent_after_a_minute_without_a_heartbeat(seconds, is_silent):
    silence = Watched().after(seconds)

    assert silence == (Silence(NOW, True) if is_silent else None)


def test_one_heartbeat_is_enough_to_be_heard_again():
    watched = Watched()
    assert watched.after(120)

    watched.beat()

    assert watched.look() is None
    assert watched.after(59) is None


@pytest.mark.parametrize(("seconds", "is_silent"), [(0, False), (14, False), (15, True)])
def test_old_heartbeat_is_believed_once_nothing_new_comes(seconds, is_silent):
    silence = Watched(ago=7_200).after(seconds)

    assert silence == (Silence(NOW - timedelta(hours=2), True) if is_silent else None)


@pytest.mark.parametrize(("seconds", "is_silent"), [(14, False), (15, True)])
def test_collector_that_was_never_started_is_silent(seconds, is_silent):
    assert Watched(None).after(seconds) == (Silence(None, False) if is_silent else None)


@pytest.mark.parametrize("hours", [2, -2])
def test_jump_of_the_clock_is_no_silence_while_heartbeats_come(hours):
    watched = Watched()
    watched.after(4)
    watched.now += timedelta(hours=hours)
    for _ in range(12):
        assert watched.after(10) is None
        watched.beat()


@pytest.mark.parametrize("skew", [-7_200, -90, 90, 7_200])
def test_collector_whose_clock_differs_is_heard(skew):
    watched = Watched(skew)
    for _ in range(12):
        assert watched.after(10) is None
        watched.beat(skew)
    assert watched.after(61) is not None


@pytest.mark.parametrize("skew", [-7_200, -90, 0, 90])
def test_how_late_a_heartbeat_came_is_known_from_those_that_were_seen_to_come(skew):
    watched = Watched(skew)
    watched.look()
    assert watched.watch.heard_late is None
    watched.after(10)
    watched.beat(skew)
    for _ in range(7):
        watched.after(10)
        assert watched.watch.heard_late == timedelta(seconds=skew)


def test_clock_that_was_set_back_hides_no_silence():
    watched = Watched()
    watched.after(20)
    watched.now -= timedelta(hours=2)

    assert watched.after(40) == Silence(None, True)


def test_nobody_has_looked_for_long_and_the_collector_records():
    watched = Watched()
    watched.look()
    watched.wait(7_200)
    watched.beat(3)

    assert watched.look() is None
    assert watched.after(20) is None


def test_nobody_has_looked_for_long_and_the_collector_has_ended_meanwhile():
    watched = Watched()
    watched.look()
    watched.wait(7_200)
    watched.beat(3_600)

    assert watched.after(14) is None
    assert watched.after(1) is not None


def test_collector_that_slept_as_long_as_its_watch_has_time_to_beat():
    watched = Watched()
    watched.look()
    watched.wait(7_200)

    assert watched.look() is None
    assert watched.after(14) is None
    assert watched.after(1) is not None


def test_database_that_is_back_gives_the_collector_time():
    watched = Watched()
    watched.after(50)
    watched.watch.forget()
    watched.wait(300)

    assert watched.after(14) is None
    assert watched.after(1) == Silence(NOW, True)
