"""Faults: nothing that was acknowledged is lost, and everything recovers by itself."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import make_url, text

from core.database import open_database, reading, writing
from core.moment import from_milliseconds
from tests.helpers.free_port import free_port
from tests.helpers.running_collector import CHROME, MINUTE, view, wait_for

ROOT = Path(__file__).parents[3]


@contextmanager
def collector_process(database_url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The collector as its users run it."""
    environment = {
        **os.environ,
        "MONITOR_DATABASE_URL": database_url,
        "MONITOR_COLLECTOR_PORT": str(port),
        "MONITOR_RATE_LIMIT": "off",
        "MONITOR_NEW_VISITS": "off",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "collector"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: _answers(port) or process.poll() is not None, 60)
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_killed_collector_loses_nothing_that_it_acknowledged(database_url):
    port = free_port()
    acknowledged: list[int] = []
    with collector_process(database_url, port) as process:
        senders = [
            threading.Thread(target=_send_until_dead, args=(port, number, acknowledged))
            for number in range(8)
        ]
        for sender in senders:
            sender.start()
        wait_for(lambda: len(acknowledged) >= 300, 60)
        process.send_signal(signal.SIGKILL)
        for sender in senders:
            sender.join()
    stored = {int(path[1:]) for (path,) in _rows(database_url, "SELECT path FROM page_view")}
    assert set(acknowledged) <= stored


@pytest.mark.long
def test_a_collector_that_is_stopped_answers_what_it_has_taken(database_url):
    port = free_port()
    acknowledged: list[int] = []
    with collector_process(database_url, port) as process:
        senders = [
            threading.Thread(target=_send_until_dead, args=(port, number, acknowledged))
            for number in range(4)
        ]
        for sender in senders:
            sender.start()
        wait_for(lambda: len(acknowledged) >= 100, 60)
        process.terminate()
        assert process.wait(20) == 0
        for sender in senders:
            sender.join()
    stored = {int(path[1:]) for (path,) in _rows(database_url, "SELECT path FROM page_view")}
    assert set(acknowledged) <= stored


def test_a_visit_goes_on_over_a_restart(run_collector, database_url):
    first = run_collector(database_url)
    first.post(view(1, "/before"))
    first.clock.advance(MINUTE)
    second = run_collector(database_url)
    second.clock.now = first.clock.now
    second.post(view(2, "/after"))
    assert second.rows("SELECT page_count, current_path FROM visit") == [(2, "/after")]


def test_a_locked_database_is_waited_for_and_a_retry_counts_once(run_collector, sqlite_url):
    collector = run_collector(sqlite_url)
    with writing(open_database(sqlite_url)):
        answer = collector.post(view())
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
    assert wait_for(lambda: collector.post(view())).status_code == 200
    wait_for(lambda: collector.rows("SELECT page_count FROM visit") == [(1,)])
    assert collector.row("SELECT count(*) FROM page_view") == (1,)


def test_a_database_that_goes_away_heals_when_it_is_back(run_collector, postgres, postgres_url):
    collector = run_collector(postgres_url)
    assert collector.post(view(1)).status_code == 200
    name = make_url(postgres_url).database
    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname='{name}'"
    )
    assert collector.post(view(2)).status_code == 503
    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    wait_for(lambda: collector.post(view(2)).status_code == 200, 30)
    assert collector.row("SELECT page_count FROM visit") == (2,)


def test_a_database_that_may_only_be_read_is_waited_for(run_collector, postgres, postgres_url):
    collector = run_collector(postgres_url)
    name = make_url(postgres_url).database
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname='{name}'"
    )
    wait_for(lambda: collector.post(view(1)).status_code == 503)
    assert {collector.post(view(1)).status_code for _ in range(3)} == {503}
    postgres.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname='{name}'"
    )
    wait_for(lambda: collector.post(view(1)).status_code == 200, 30)
    assert collector.row("SELECT page_count FROM visit") == (1,)


def test_chores_that_fail_do_not_end_the_writer(run_collector, sqlite_url, monkeypatch):
    fail = {"now": True}

    def checkpoint(_self: Any) -> None:
        if fail["now"]:
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("collector.writing.housekeeping.CHECKPOINT_EVERY", 0.0)
    monkeypatch.setattr("collector.writing.checkpoints.Checkpoints.move", checkpoint)
    collector = run_collector(sqlite_url)
    assert collector.post(view(1)).status_code == 200
    assert collector.post(view(2)).status_code == 200
    fail["now"] = False
    assert collector.post(view(3)).status_code == 200


def test_what_a_visitor_sent_never_reaches_the_log(collector, caplog):
    with writing(collector.engine) as db:
        db.exec_driver_sql(
            "CREATE TRIGGER no_views BEFORE INSERT ON page_view_row "
            "BEGIN SELECT RAISE(ABORT, 'no views'); END"
        )
    answer = collector.post(view(1, "/reset/SECRET", d="ada@shop.example"))
    assert answer.status_code == 400
    assert "hit_dropped" in caplog.text
    assert "SECRET" not in caplog.text
    assert "ada@" not in caplog.text


def test_counts_that_cannot_be_stored_do_not_hold_up_the_others(collector):
    with writing(collector.engine) as db:
        db.exec_driver_sql(
            "CREATE TRIGGER no_origins BEFORE INSERT ON site_origin "
            "BEGIN SELECT RAISE(ABORT, 'no origins'); END"
        )
    collector.post(view(1))
    collector.send("{}")
    wait_for(lambda: _try_again(collector))


def _try_again(collector: Any) -> bool:
    collector.send("{}")
    return collector.drops().get("malformed", 0) > 0


def test_a_clock_that_ran_ahead_does_not_keep_a_visit_alive(collector):
    now = collector.clock.now
    collector.clock.advance(600 * MINUTE)
    collector.post(view(1))
    collector.clock.now = now
    collector.post(view(2, "/back"))
    (last_activity_at,) = collector.row("SELECT last_activity_at FROM visit")
    assert from_milliseconds(last_activity_at) <= from_milliseconds(now)


def test_one_bad_hit_does_not_stop_its_batch(collector, monkeypatch):
    from collector.writing import visit_batch

    advance = visit_batch.advance

    def fail_for_one(visit: Any, tab: str, event: Any, trail: Any) -> None:
        if event.path == "/bad":
            raise ZeroDivisionError
        advance(visit, tab, event, trail)

    monkeypatch.setattr(visit_batch, "advance", fail_for_one)
    answers: dict[int, httpx.Response] = {}

    def send(number: int) -> None:
        path = "/bad" if number == 7 else "/good"
        visit_id = f"visitor{number:013d}"
        answers[number] = collector.post(view(1, path), visit=visit_id)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = [answers[number].status_code for number in range(16)]
    assert statuses == [400 if number == 7 else 200 for number in range(16)]
    assert collector.row("SELECT count(*) FROM visit") == (15,)
    wait_for(lambda: collector.drops().get("fault") == 1)


def _send_until_dead(port: int, sender: int, acknowledged: list[int]) -> None:
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http,
        suppress(httpx.HTTPError),
    ):
        for number in range(1, 5_000):
            mark = sender * 100_000 + number
            beacon = {
                "v": 1,
                "k": "demo",
                "s": f"sender{sender:014d}",
                "t": "tab00001",
                "b": [view(number, f"/{mark}")],
            }
            answer = http.post("/v1/beacon", json=beacon, headers={"User-Agent": CHROME})
            if answer.status_code != 200:
                return
            acknowledged.append(mark)


def _rows(database_url: str, sql: str) -> list[Any]:
    engine = open_database(database_url)
    with reading(engine) as connection:
        rows = list(connection.execute(text(sql)))
    engine.dispose()
    return rows


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200
    except httpx.HTTPError:
        return False
