"""The running collector counts visits that are over by day."""

from __future__ import annotations

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
