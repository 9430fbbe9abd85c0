"""A visitor is forgotten while they are on the site: nothing breaks, and their next page is a new visit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from core.database import writing
from core.visitor_data import forget_visits_of
from tests.helpers.collector_chats import (
    VISIT,
    attend,
    moment,
    open_chat,
    open_stream,
    send_invitation,
)
from tests.helpers.running_collector import MINUTE, RunningCollector, view, wait_for

PRESENCE = {"e": "p", "n": 2, "u": "/", "f": 1}


@pytest.fixture
def quick_housekeeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Request it before the collector."""
    for name, seconds in {
        "CLOSE_CHATS_EVERY": 0.1,
        "LOOK_FOR_REWRITE_EVERY": 0.1,
        "REWRITE_AFTER": 0.5,
        "EMPTY_LOG_EVERY": 0.5,
    }.items():
        monkeypatch.setattr(f"collector.writing.housekeeping.{name}", seconds)


def forget(collector: RunningCollector, visit: str = VISIT) -> None:
    with writing(collector.engine) as db:
        forget_visits_of(db, 1, [visit], moment(collector))


def test_next_page_view_begins_a_new_visit_and_a_presence_none(collector):
    assert collector.post(view(1, "/one")).status_code == 200
    forget(collector)

    answer = collector.post(PRESENCE)
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (204, "no_visit")
    assert collector.rows("SELECT * FROM visit") == []

    assert collector.post(view(3, "/three")).status_code == 200
    assert collector.rows("SELECT id, page_count, entry_path FROM visit") == [(VISIT, 1, "/three")]


def test_open_chat_ends_for_its_visitor_and_is_gone_soon_after(quick_housekeeping, collector):
    attend(collector)
    token = open_chat(collector, "Hello")
    with open_stream(collector, token) as stream:
        assert stream.next()["state"] == "open"
        forget(collector)
        update = stream.next()
        assert (update["state"], update["by"]) == ("ended", "visit")
    assert collector.rows("SELECT * FROM message") == []

    collector.clock.advance(MINUTE)
    wait_for(lambda: not collector.rows("SELECT * FROM conversation"))
    answer = collector.call("poll", c=token)
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (404, "no_conversation")


def test_invitation_that_waited_reaches_nobody(collector):
    collector.post(view())
    agent = attend(collector)
    send_invitation(collector, agent)
    waiting = collector.app.beacon.offers.waiting
    forget(collector)

    wait_for(lambda: waiting.find(1, VISIT) is None)
    assert "invite" not in collector.post(view(2)).text


def test_file_is_rewritten_and_the_log_emptied_by_itself(
    quick_housekeeping: None, run_collector: Any, sqlite_url: str
):
    collector = run_collector(sqlite_url)
    file = Path(make_url(sqlite_url).database or "")
    collector.post(view(1, "/a-word-of-its-own"))
    forget(collector)
    assert collector.rows("SELECT name FROM backlog WHERE name = 'rewritten_file'")

    wait_for(lambda: not collector.rows("SELECT name FROM backlog WHERE name = 'rewritten_file'"))

    files = (file, Path(f"{file}-wal"), Path(f"{file}-shm"))
    wait_for(lambda: not any(b"a-word-of-its-own" in each.read_bytes() for each in files))
