"""Housekeeping: retention runs, and SQLite's log does not grow without end."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, make_url, text

from collector.writing.checkpoints import (
    CHECKPOINT_EVERY,
    EMPTY_LOG_AGAIN_AFTER,
    EMPTY_LOG_EVERY,
)
from collector.writing.counters import Counters, write_counts
from collector.writing.housekeeping import Housekeeping
from collector.writing.retention_chore import Retention, forget_chats, forget_visits
from collector.writing.write_load import WriteLoad
from core.database import open_database, reading, writing
from core.locks import lock_site
from core.moment import from_milliseconds, milliseconds, to_milliseconds
from core.reasons import Reason
from core.removal import remove_site
from core.sites import add_site, list_sites
from core.tables import Message
from core.version import VERSION
from core.visits.memories import REMEMBERED_FOR
from tests.helpers.collector_chats import attend, open_chat, state_of
from tests.helpers.day_counting import count_days
from tests.helpers.running_collector import DAY, MINUTE, SECOND, START, FakeClock, view, wait_for

RETENTION = timedelta(days=90)


def test_visits_past_retention_go_with_all_that_belongs_to_them(collector):
    collector.post(view(1), visit="old0000000000000")
    collector.clock.advance(DAY)
    collector.post(view(1), visit="young00000000000")
    collector.clock.advance(89 * DAY + 1)
    count_days(collector.engine, collector.clock.now)
    assert forget_visits(collector.engine, collector.clock.now, RETENTION).deleted == 1
    assert collector.rows("SELECT id FROM visit") == [("young00000000000",)]
    assert collector.rows("SELECT visit_id FROM page_view") == [("young00000000000",)]
    assert set(collector.rows("SELECT visit_id FROM visit_span")) == {("young00000000000",)}


def test_counts_of_visits_outlive_the_visits(collector):
    collector.post(view())
    count_days(collector.engine, collector.clock.now + 91 * DAY)
    forget_visits(collector.engine, collector.clock.now + 91 * DAY, RETENTION)
    assert collector.row("SELECT count(*) FROM visit") == (0,)
    assert collector.row("SELECT sum(visits) FROM visit_count") == (1,)


def test_a_visit_is_kept_until_its_retention_is_over(collector):
    collector.post(view())
    collector.clock.advance(
        90 * DAY
    )  # else the collector counts again what is counted of later days
    at_its_end = collector.clock.now
    count_days(collector.engine, at_its_end)
    assert forget_visits(collector.engine, at_its_end, RETENTION).deleted == 0
    assert forget_visits(collector.engine, at_its_end + 1, RETENTION).deleted == 1


@pytest.mark.long
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


def test_of_a_visit_that_is_over_nothing_is_remembered(run_collector, database_url):
    before = run_collector(database_url)
    before.post(view(path="/tea"))
    assert before.row("SELECT count(*) FROM visit_memory") == (1,)
    later = FakeClock()
    later.advance(milliseconds(REMEMBERED_FOR))
    kept = run_collector(database_url, clock=later)
    kept.post(view(2), visit="young00000000000")
    assert kept.row("SELECT count(*) FROM visit_memory") == (2,)
    later.advance(SECOND)
    after = run_collector(database_url, clock=later)
    wait_for(lambda: after.row("SELECT count(*) FROM visit_memory") == (1,))
    assert after.row("SELECT count(*) FROM visit_tab") == (1,)
    assert after.row("SELECT count(*) FROM page_view") == (2,)


def test_conversations_go_with_their_visits(collector):
    token = open_chat(collector, "Hello")
    collector.clock.advance(DAY)
    open_chat(collector, "Hello", s="young00000000000", n="visitor0002")
    now = collector.clock.now + 89 * DAY + 1
    count_days(collector.engine, now)
    assert forget_visits(collector.engine, now, RETENTION).deleted == 1
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


@pytest.fixture
def quick_heartbeat(monkeypatch):
    """Request it before the collector."""
    monkeypatch.setattr("collector.writing.housekeeping.BEATS_EVERY", timedelta(seconds=0.1))
    monkeypatch.setattr("collector.writing.housekeeping.AGAIN_AFTER", 0.1)


def seen_at(collector) -> int:
    """Of the collector's newest heartbeat, by its own clock; 0: it has given none."""
    return collector.row("SELECT coalesce(max(seen_at), 0) FROM collector")[0]


def test_the_running_collector_gives_heartbeats(quick_heartbeat, run_collector, database_url):
    collector = run_collector(database_url)
    wait_for(lambda: seen_at(collector) == collector.clock.now)
    collector.clock.advance(MINUTE)
    wait_for(lambda: seen_at(collector) == collector.clock.now)
    collector.clock.advance(-DAY)
    wait_for(lambda: seen_at(collector) == collector.clock.now)
    started_at, version = collector.row("SELECT started_at, version FROM collector")
    assert started_at == collector.clock.now + DAY - MINUTE
    assert version == VERSION


def test_collector_that_cannot_write_gives_no_heartbeat(quick_heartbeat, collector):
    wait_for(lambda: seen_at(collector) == collector.clock.now)
    lost = open_database(str(collector.engine.url))
    with writing(lost):  # nobody else can write
        collector.clock.advance(MINUTE)
        assert collector.post(view()).status_code == 503
        assert seen_at(collector) == collector.clock.now - MINUTE
    wait_for(lambda: seen_at(collector) == collector.clock.now)
    lost.dispose()


def test_heartbeat_says_how_long_a_commit_took(quick_heartbeat, collector):
    def commits_and_says_so() -> bool:
        collector.post(view())
        return collector.row("SELECT coalesce(max(commit_ms), 0) FROM collector")[0] > 0

    wait_for(commits_and_says_so)


def test_heartbeat_says_since_when_a_reader_holds_the_log(
    quick_heartbeat, run_collector, sqlite_url, monkeypatch
):
    monkeypatch.setattr("collector.writing.checkpoints.CHECKPOINT_EVERY", 0.1)
    collector = run_collector(sqlite_url)
    wait_for(lambda: seen_at(collector) == collector.clock.now)
    lost = open_database(sqlite_url)
    with reading(lost) as db:
        db.execute(text("SELECT count(*) FROM visit")).one()
        collector.post(view())  # a heartbeat that says the same again writes nothing
        wait_for(lambda: collector.row("SELECT reader_since FROM collector") != (None,))
        since = collector.row("SELECT reader_since FROM collector")
        collector.clock.advance(MINUTE)
        collector.post(view(2))
        wait_for(lambda: seen_at(collector) == collector.clock.now)
        assert collector.row("SELECT reader_since FROM collector") == since
        (reader,) = collector.row("SELECT reader FROM collector")
        assert reader.endswith(f"(process {os.getpid()})"), "this test itself"
    wait_for(lambda: collector.row("SELECT reader_since FROM collector") == (None,))
    lost.dispose()


@pytest.mark.parametrize("forget", [forget_visits, forget_chats])
def test_retention_records_that_it_ran_and_whether_it_is_done(collector, forget):
    open_chat(collector, "Hello")
    now = collector.clock.now
    forget(collector.engine, now, RETENTION)
    assert runs(collector)[forget] == (now, now)
    count_days(collector.engine, now + 91 * DAY)
    forget(collector.engine, now + 91 * DAY, RETENTION, 1)
    assert runs(collector)[forget] == (now + 91 * DAY, now)
    forget(collector.engine, now + 92 * DAY, RETENTION)
    assert runs(collector)[forget] == (now + 92 * DAY, now + 92 * DAY)


def runs(collector) -> dict[Any, tuple[int, int | None]]:
    found = {
        name: times
        for name, *times in collector.rows("SELECT name, ran_at, done_at FROM chore_run")
    }
    return {forget_visits: tuple(found["visits"]), forget_chats: tuple(found["chats"])}


@pytest.mark.parametrize("forget", [forget_visits, forget_chats])
def test_removed_site_is_left_to_its_removal(run_collector, database_url, forget):
    collector = run_collector(database_url)
    open_chat(collector, "Hello")
    collector.post(view(), site="open", visit="b1b2c3d4e5f6g7h8")
    with writing(collector.engine) as db:
        remove_site(db, "shop1", "Shop", from_milliseconds(collector.clock.now))
    count_days(collector.engine, collector.clock.now + 91 * DAY)

    gone = forget(collector.engine, collector.clock.now + 91 * DAY, RETENTION)

    assert gone.deleted == (1 if forget is forget_visits else 0)
    assert collector.rows("SELECT site_id FROM visit WHERE site_id = 1") == [(1,)]
    assert collector.row("SELECT count(*) FROM message") == (1,)


CHORES = {
    "forget visits": lambda engine: forget_visits(engine, 0, RETENTION),
    "forget chats": lambda engine: forget_chats(engine, 0, RETENTION),
    "write counts": lambda engine: write_a_count(engine),
}


@pytest.mark.parametrize("name", CHORES)
def test_chore_leaves_out_a_site_that_another_collector_writes(postgres_url, name):
    """For longer than some milliseconds it would wait with the hits of all other sites."""
    other, engine = (open_database(postgres_url) for _ in range(2))
    with writing(engine) as db:
        site = add_site(db, name="Shop", key="shop", now=START)
    with writing(other) as db:
        lock_site(db, site.id or 0)
        left_out = CHORES[name](engine)
    done = CHORES[name](engine)
    for each in (other, engine):
        each.dispose()
    if name == "write counts":
        assert (left_out.drops, done.drops) == ({(1, 0, Reason.BOT): 1}, {})
    else:
        assert (left_out.is_done, done.is_done) == (False, True)


def write_a_count(engine):
    counters = Counters()
    counters.drop(1, Reason.BOT, 0)
    with writing(engine) as db:
        return write_counts(db, counters.take(), 0)


def test_retention_of_zero_keeps_everything(collector):
    collector.post(view())
    Housekeeping(
        collector.engine,
        Retention(0, 0),
        WriteLoad(lambda: 0),
        lambda: collector.clock.now + 900 * DAY,
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
    chores = Housekeeping(engine, Retention(0, 0), WriteLoad(lambda: 0), lambda: 0)
    monkeypatch.setattr("collector.writing.housekeeping.monotonic", _later(CHECKPOINT_EVERY + 1))
    chores.do_due()
    assert file.stat().st_size > before + 300_000


def test_log_is_emptied_so_that_nothing_deleted_stays_in_it(sqlite_url, monkeypatch):
    log = Path(f"{make_url(sqlite_url).database}-wal")
    engine = open_database(sqlite_url)
    _write_and_delete(engine, "a secret")
    chores = Housekeeping(engine, Retention(0, 0), WriteLoad(lambda: 0), lambda: 0)
    monkeypatch.setattr("collector.writing.housekeeping.monotonic", _later(CHECKPOINT_EVERY + 1))
    chores.do_due()
    assert b"a secret" in log.read_bytes()

    monkeypatch.setattr("collector.writing.housekeeping.monotonic", _later(EMPTY_LOG_EVERY + 1))
    chores.do_due()

    assert log.stat().st_size == 0


def test_reader_that_is_in_the_way_is_not_waited_for_and_the_log_is_emptied_after_it(
    sqlite_url, monkeypatch
):
    log = Path(f"{make_url(sqlite_url).database}-wal")
    engine = open_database(sqlite_url)
    _write_and_delete(engine, "a secret")
    chores = Housekeeping(engine, Retention(0, 0), WriteLoad(lambda: 0), lambda: 0)
    with reading(engine) as db:
        db.exec_driver_sql("SELECT count(*) FROM site").all()
        _write_and_delete(engine, "another")
        monkeypatch.setattr("collector.writing.housekeeping.monotonic", _later(EMPTY_LOG_EVERY + 1))
        chores.do_due()
        assert b"another" in log.read_bytes()

    again = _later(EMPTY_LOG_EVERY + EMPTY_LOG_AGAIN_AFTER + 2)
    monkeypatch.setattr("collector.writing.housekeeping.monotonic", again)
    chores.do_due()
    assert log.stat().st_size == 0


def _write_and_delete(engine: Engine, secret: str) -> None:
    with writing(engine) as db:
        db.exec_driver_sql("CREATE TABLE IF NOT EXISTS filler (text)")
        db.exec_driver_sql("INSERT INTO filler VALUES (?)", (secret,))
    with writing(engine) as db:
        db.exec_driver_sql("DELETE FROM filler")


def test_text_that_was_deleted_does_not_stay_in_the_file(sqlite_url):
    file = Path(make_url(sqlite_url).database or "")
    engine = open_database(sqlite_url)
    with writing(engine) as db:
        add_site(db, name="Shop", key="shop", now=START)
        (site,) = list_sites(db)
        db.execute(insert(Message), [_message(site.id, day) for day in range(100)])
    engine.dispose()
    assert file.read_bytes().count(b"a secret") == 100

    now = START + timedelta(days=99)
    assert forget_chats(engine, to_milliseconds(now), timedelta(days=30)).deleted == 69
    engine.dispose()

    assert file.read_bytes().count(b"a secret") == 31


def _message(site_id: int | None, day: int) -> dict[str, Any]:
    key = {"site_id": site_id, "conversation_id": "chat", "number": day, "client_id": str(day)}
    said = {"author": "visitor", "agent_id": 0, "text": "a secret".ljust(900), "revision": day}
    return {**key, **said, "sent_at": START + timedelta(days=day)}


def _later(seconds: float):
    from time import monotonic

    return lambda: monotonic() + seconds
