"""Who has gone from an open chat: the agent, whose visitor hears it, and the visitor."""

from __future__ import annotations

from typing import Any

import pytest

from core.chat import vacancy
from tests.helpers.collector_chats import attend, open_chat, open_stream, say, stay
from tests.helpers.running_collector import SECOND, wait_for


@pytest.fixture(autouse=True)
def unheard_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector's clock jumps in tests: the one that does not jump would need 45 s."""
    monkeypatch.setattr(vacancy, "UNHEARD_FOR", 0.0)


@pytest.mark.long
def test_visitor_hears_that_a_colleague_takes_over(run_collector, database_url) -> None:
    collector = run_collector(database_url)
    ann = attend(collector)
    token = open_chat(collector, "Hello")
    say(collector, ann, token, "Good day")
    with open_stream(collector, token) as reader:
        first = reader.next()
        assert (first["from"], first["v"]) == ("Ann", 0)
        bea = attend(collector, "Bea")
        collector.clock.now += 61 * SECOND
        stay(collector, bea)
        vacated = reader.next()
        assert (vacated["from"], vacated["v"], vacated["state"]) == ("", 1, "open")
        say(collector, bea, token, "Bea here")
        assert (taken := reader.next())["from"] == "Bea"
        assert taken["v"] == 0


@pytest.mark.long
def test_visitor_is_promised_nobody_while_nobody_is_there(collector) -> None:
    ann = attend(collector)
    token = open_chat(collector, "Hello")
    say(collector, ann, token, "Good day")
    with open_stream(collector, token) as reader:
        reader.next()
        collector.clock.now += 61 * SECOND
        wait_for(lambda: not collector.app.conversation.attendance.is_attended(1))
        vacated: Any = reader.next()
        assert (vacated["from"], vacated["v"]) == ("", 0)


def test_visitor_who_has_gone_is_noted(collector) -> None:
    attend(collector)
    open_chat(collector, "Hello")
    gone_at = "SELECT gone_at FROM conversation"
    seen_at = collector.row("SELECT last_seen_at FROM visit")
    assert collector.row(gone_at) == (None,)
    collector.clock.now += 120 * SECOND
    wait_for(lambda: collector.row(gone_at) == seen_at)
