"""Browsers that listen for an invitation: who is asked to, what they hear, and how many there may be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from collector.chat import listen_route, listener_limit
from core.chat.blocks import block
from core.chat.store import find_by_token
from core.database import writing
from tests.helpers.collector_chats import (
    TAB,
    VISIT,
    attend,
    call_count,
    moment,
    open_chat,
    refresh,
    send_invitation,
    state_of,
)
from tests.helpers.running_collector import CHROME, ORIGIN, RunningCollector, view, wait_for

OTHER = "z1b2c3d4e5f6g7h8"
PRIVATE = {"Sec-GPC": "1"}


@contextmanager
def listening(
    collector: RunningCollector, visit: str = VISIT, tab: str = TAB, **headers: str
) -> Iterator[httpx.Response]:
    """A call that is open; its body is still to be read."""
    body = json.dumps({"v": 1, "k": "shop1", "s": visit, "t": tab})
    sent = {"Origin": ORIGIN, "User-Agent": CHROME, **headers}
    url = f"{collector.url}/v1/conversation/listen"
    with httpx.stream("POST", url, content=body, headers=sent, timeout=10) as answer:
        yield answer


def heard(answer: httpx.Response) -> Any:
    assert answer.status_code == 200
    return json.loads(answer.read())


def is_asked(collector: RunningCollector, visit: str = VISIT, number: int = 1) -> bool:
    return "l" in collector.post(view(number), visit=visit).json()


def listeners(collector: RunningCollector) -> int:
    """The open calls, from /metrics."""
    text = collector.http.get("/metrics").text
    return int(float(text.partition("\nmonitor_chat_listeners ")[2].split()[0]))


def test_listener_hears_of_the_invitation_as_a_beacon_does(run_collector, database_url):
    collector = run_collector(database_url)
    assert collector.post(view()).json()["l"] == 1
    agent = attend(collector)
    with listening(collector, OTHER) as other, listening(collector) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        invited = send_invitation(collector, agent)
        offer = heard(answer)
        assert offer == {"t": "invite", "k": invited.token, "from": "Ann", "text": "May I help?"}
        wait_for(lambda: state_of(collector, invited.token) == "delivered")
        wait_for(lambda: listeners(collector) == 1)
        assert collector.post(view(2)).json()["c"] == offer
        other.close()
    wait_for(lambda: listeners(collector) == 0)


def test_invitation_that_waits_already_is_heard_at_once(collector):
    collector.post(view())
    send_invitation(collector, attend(collector))
    with listening(collector) as answer:
        assert heard(answer)["text"] == "May I help?"


def test_one_tab_hears_where_several_people_may_be_one_visit(collector):
    collector.post(view(z=""), headers=PRIVATE)
    [shared] = collector.rows("SELECT id FROM visit")
    agent = attend(collector)
    with (
        listening(collector, "", TAB, **PRIVATE) as one,
        listening(collector, "", "tab00002", **PRIVATE) as other,
    ):
        wait_for(lambda: listeners(collector) == 2)
        invited = send_invitation(collector, agent, visit=shared[0])
        wait_for(lambda: listeners(collector) == 1)
        [tab] = collector.row("SELECT tab FROM conversation")
        assert heard(one if tab == TAB else other)["k"] == invited.token


def test_call_is_kept_alive_and_ends_with_nothing_heard(collector, monkeypatch):
    monkeypatch.setattr(listen_route, "HEARTBEAT_EVERY", 0.1)
    monkeypatch.setattr(listen_route, "LASTS", 0.5)
    with listening(collector) as answer:
        body = answer.read()
    assert body.endswith(b"{}") and body.count(b"\n") >= 2
    assert json.loads(body) == {}


def test_who_can_not_be_invited_is_not_asked_to_listen(collector):
    agent = attend(collector)
    assert is_asked(collector)
    token = open_chat(collector)
    assert not is_asked(collector, number=2)
    collector.call("end", c=token)
    assert is_asked(collector, number=3)
    with writing(collector.engine) as db:
        conversation = find_by_token(db, 1, token)
        assert conversation is not None
        block(db, conversation, agent.id or 0, moment(collector))
    refresh(collector)
    assert not is_asked(collector, number=4)


def test_listener_who_is_blocked_hears_at_once_that_nothing_is_offered(run_collector, database_url):
    collector = run_collector(database_url)
    agent = attend(collector)
    collector.post(view())
    token = open_chat(collector)
    collector.call("end", c=token)
    with listening(collector) as answer:
        wait_for(lambda: listeners(collector) == 1)
        with writing(collector.engine) as db:
            conversation = find_by_token(db, 1, token)
            assert conversation is not None
            block(db, conversation, agent.id or 0, moment(collector))
        assert heard(answer) == {"t": "site"}


def test_address_has_its_number_of_listeners(collector, monkeypatch):
    monkeypatch.setattr(listener_limit, "MOST_OF_ADDRESS", 1)
    assert is_asked(collector)
    with listening(collector) as first:
        wait_for(lambda: listeners(collector) == 1)
        assert not is_asked(collector, number=2)
        refused = collector.call("listen", s=VISIT, t=TAB)
        assert (refused.status_code, refused.headers["X-Drop-Reason"]) == (204, "not_now")
        assert call_count(collector, "not_now") == 1
        first.close()
    wait_for(lambda: is_asked(collector, number=3))


def test_firefox_is_asked_to_listen_only_while_somebody_looks(collector):
    """It keeps no page for Back that listened."""
    firefox = {
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
    }
    assert "l" not in collector.post(view(), headers=firefox).json()
    attend(collector)
    assert "l" in collector.post(view(2), headers=firefox).json()


def test_fewer_may_listen_on_a_site_that_nobody_looks_at(collector, monkeypatch):
    monkeypatch.setattr(listener_limit, "MOST_UNWATCHED", 1)
    monkeypatch.setattr(listener_limit, "MOST_LISTENERS", 2)
    with listening(collector):
        wait_for(lambda: listeners(collector) == 1)
        assert not is_asked(collector)
        attend(collector)
        assert is_asked(collector, number=2)
        with listening(collector):
            wait_for(lambda: listeners(collector) == 2)
            assert not is_asked(collector, number=3)


def test_own_people_are_refused(collector):
    collector.change_site("shop1", own_networks=["127.0.0.1"])
    collector.refresh_sites()
    refused = collector.call("listen", s=VISIT, t=TAB)
    assert (refused.status_code, refused.headers["X-Drop-Reason"]) == (204, "own_visit")


@pytest.mark.parametrize("fields", [{}, {"t": ""}, {"t": "T!", "s": VISIT}])
def test_call_without_a_tab_is_malformed(collector, fields):
    assert collector.call("listen", **fields).status_code == 400
