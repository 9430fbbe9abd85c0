"""The running collector counts days that are over, and beacons do not wait for it."""

from __future__ import annotations

from collector.writing.day_chore import LOOK_EVERY, DayChore
from collector.writing.write_load import WriteLoad
from core.database import writing
from core.moment import from_milliseconds
from core.visitor_data import forget_visits_of
from tests.helpers.running_collector import DAY, FakeClock, view, wait_for

IDS = ("a1b2c3d4e5f6g7h8", "b1b2c3d4e5f6g7h8", "c1b2c3d4e5f6g7h8")
BY_SOURCE = "SELECT sum(visits) FROM trend_count WHERE site_id = 1 AND dimension = 'source'"


def test_running_collector_counts_days_that_are_over(run_collector, database_url):
    before = run_collector(database_url)
    for visit in IDS:
        before.post(view(), visit=visit)
    assert before.row("SELECT count(*) FROM trend_day") == (0,)
    later = FakeClock()
    later.advance(DAY)
    after = run_collector(database_url, clock=later)
    wait_for(lambda: after.row(BY_SOURCE) == (3,))
    assert after.row("SELECT count(*) FROM trend_day") == (1,)


def test_day_of_which_a_visit_was_forgotten_meanwhile_is_counted_anew(collector):
    for visit in IDS:
        collector.post(view(), visit=visit)
    now = collector.clock.now + DAY
    chore = DayChore(collector.engine, WriteLoad(lambda: 0), lambda: now)
    chore.do()
    chore.do()
    with writing(collector.engine) as db:
        forget_visits_of(db, 1, [IDS[0]], from_milliseconds(now))
    while chore.do() != LOOK_EVERY:
        pass
    assert collector.row(BY_SOURCE) == (2,)
