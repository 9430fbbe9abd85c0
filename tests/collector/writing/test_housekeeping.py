"""Housekeeping: retention runs, and SQLite's log does not grow without end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import make_url, text

from collector.writing.housekeeping import CHECKPOINT_EVERY, Housekeeping, Retention, forget_visits
from core.database import open_database, writing
from tests.helpers.collector_chats import attend, open_chat, state_of
from tests.helpers.running_collector import DAY, MINUTE, FakeClock, view, wait_for

RETENTION = timedelta(days=90)


def test_visits_past_retention_go_with_all_that_belongs_to_them(collector):
    collector.post(view(1), visit="old0000000000000")
    collector.clock.advance(DAY)
    collector.post(view(1), visit="young00000000000")
    collector.clock.advance(89 * DAY + 1)
    assert forget_visits(collector.engine, collector.clock.now, RETENTION) == 1
    assert collector.rows("SELECT id FROM visit") == [("young00000000000",)]
    assert collector.rows("SELECT visit_id FROM page_view") == [("young00000000000",)]
    assert set(collector.rows("SELECT visit_id FROM visit_span")) == {("young00000000000",)}


def test_counts_of_visits_outlive_the_visits(collector):
    collector.post(view())
    forget_visits(collector.engine, collector.clock.now + 91 * DAY, RETENTION)
    assert collector.row("SELECT count(*) FROM visit") == (0,)
    assert collector.row("SELECT sum(visits) FROM visit_count") == (1,)


def test_a_visit_is_kept_until_its_retention_is_over(collector):
    collector.post(view())
    at_its_end = collector.clock.now + 90 * DAY
    assert forget_visits(collector.engine, at_its_end, RETENTION) == 0
    assert forget_visits(collector.engine, at_its_end + 1, RETENTION) == 1


def test_the_running_collector_forgets_by_itself(run_collector, database_url):
    before = run_collector(database_url)
    before.post(view())
    later = FakeClock()
    later.advance(DAY + MINUTE)
    after = run_collector(database_url, clock=later, retention_days=1)
    wait_for(lambda: after.row("SELECT count(*) FROM visit") == (0,))


def test_the_running_collector_deletes_the_text_of_chats_by_itself(run_collector, database_url):
    before = run_collector(database_url)
    open_chat(before, "Hello")
    later = FakeClock()
    later.advance(30 * DAY)
    after = run_collector(database_url, clock=later)
    assert after.row("SELECT text FROM message") == ("Hello",)
    later.advance(MINUTE)
    again = run_collector(database_url, clock=later)
    wait_for(lambda: again.row("SELECT count(*) FROM message") == (0,))
    assert again.row("SELECT count(*) FROM conversation") == (1,)


def test_the_running_collector_reads_the_paths_of_an_earlier_version(run_collector, database_url):
    before = run_collector(database_url)
    before.post(view(path="/tea"))
    wait_for(lambda: before.rows("SELECT * FROM backlog") == [])
    with writing(before.engine) as db:
        db.execute(text("UPDATE visit SET current_path = '/%D1%87%D0%B0%D0%B9'"))
        db.execute(text("INSERT INTO backlog VALUES ('readable_paths', '')"))
    after = run_collector(database_url)
    wait_for(lambda: after.row("SELECT current_path FROM visit") == ("/чай",))


def test_conversations_go_with_their_visits(collector):
    token = open_chat(collector, "Hello")
    collector.clock.advance(DAY)
    open_chat(collector, "Hello", s="young00000000000", n="visitor0002")
    now = collector.clock.now + 89 * DAY + 1
    assert forget_visits(collector.engine, now, RETENTION) == 1
    collector.clock.now = now
    assert collector.call("poll", c=token).status_code == 404
    kept = collector.rows("SELECT visit_id FROM conversation")
    assert kept == [("young00000000000",)]
    assert collector.row("SELECT count(*) FROM message") == (1,)


def test_chats_that_are_over_are_closed_by_themselves(quick_closing, collector):
    attend(collector)
    token = open_chat(collector)
    collector.clock.advance(20 * MINUTE - 1)
    collector.call("open", s="nobody0000000001", t="tab1", n="visitor0009", x="a moment later")
    assert state_of(collector, token) == "open"
    collector.clock.advance(1)
    wait_for(lambda: state_of(collector, token) == "ended")
    assert collector.row("SELECT closed_by FROM conversation") == ("silence",)


def test_retention_of_zero_keeps_everything(collector):
    collector.post(view())
    Housekeeping(
        collector.engine, Retention(0, 0), lambda: collector.clock.now + 900 * DAY
    ).do_due()
    assert collector.row("SELECT count(*) FROM visit") == (1,)


def test_the_checkpoint_moves_the_log_into_the_file(sqlite_url, monkeypatch):
    file = Path(make_url(sqlite_url).database or "")
    engine = open_database(sqlite_url)
    with writing(engine) as db:
        db.exec_driver_sql("CREATE TABLE filler (text)")
        for _ in range(400):
            db.exec_driver_sql("INSERT INTO filler VALUES (?)", ("x" * 1_000,))
    before = file.stat().st_size
    chores = Housekeeping(engine, Retention(0, 0), lambda: 0)
    monkeypatch.setattr("collector.writing.housekeeping.monotonic", _later(CHECKPOINT_EVERY + 1))
    chores.do_due()
    assert file.stat().st_size > before + 300_000


def _later(seconds: float):
    from time import monotonic

    return lambda: monotonic() + seconds
