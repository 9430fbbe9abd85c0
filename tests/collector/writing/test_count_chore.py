"""The running collector counts visits that are over by day."""

from __future__ import annotations

from collector.writing.count_chore import COUNT_EVERY, CountChore
from collector.writing.write_load import WriteLoad
from core.database import open_database, writing
from core.locks import lock_site
from tests.helpers.day_counting import count_days
from tests.helpers.running_collector import DAY, FakeClock, view, wait_for

IDS = ("a1b2c3d4e5f6g7h8", "b1b2c3d4e5f6g7h8", "c1b2c3d4e5f6g7h8")
BY_SOURCE = "SELECT sum(visits) FROM trend_count WHERE site_id = 1 AND dimension = 'source'"


def test_running_collector_counts_visits_that_are_over(run_collector, database_url):
    before = run_collector(database_url)
    for visit in IDS:
        before.post(view(), visit=visit)
    assert before.row("SELECT count(*) FROM trend_count") == (0,)
    later = FakeClock()
    later.advance(DAY)
    after = run_collector(database_url, clock=later)
    wait_for(lambda: after.row(BY_SOURCE) == (3,))


def test_site_that_another_collector_writes_is_left_for_the_next_time(run_collector, postgres_url):
    collector = run_collector(postgres_url)
    collector.post(view())
    now, other = collector.clock.now + DAY, open_database(postgres_url)
    chore = CountChore(other, WriteLoad(lambda: 0), lambda: now)
    with writing(collector.engine) as db:
        lock_site(db, 1)
        assert COUNT_EVERY in [chore.do() for _ in range(9)]
    assert collector.row(BY_SOURCE) == (None,)
    count_days(other, now)
    other.dispose()
    assert collector.row(BY_SOURCE) == (1,)
