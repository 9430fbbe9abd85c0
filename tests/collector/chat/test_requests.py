"""What a visitor's side of a chat may call, and the responses."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest

from collector.chat.request import ChatAction
from core.accounts.accounts import limit_account, set_account
from core.accounts.identity import Role
from core.chat.conversations import end
from core.chat.invitations import accept, dismiss, invite, mark_delivered, mark_shown
from core.chat.states import ClosedBy
from core.database import writing
from core.reasons import Refused
from core.tables import Conversation
from tests.helpers.collector_chats import (
    TAB,
    VISIT,
    assert_readable,
    attend,
    call_count,
    moment,
    open_chat,
    refresh,
    state_of,
)
from tests.helpers.running_collector import RunningCollector, view


def token_in(collector: RunningCollector, visit: str, state: str) -> str:
    """The token of a conversation of the visit in this state."""
    if state == "left":
        opened = collector.call("open", s=visit, t=TAB, n="visitor0001", x="ChatRequest me")
        return opened.json()["c"]
    now = moment(collector)
    with writing(collector.engine) as db:
        made = invite(db, site_id=1, visit_id=visit, agent_id=0, text="Hi", now=now)
        assert isinstance(made, Conversation)
        if state != "queued":
            mark_delivered(db, 1, made.id, "", now)
        if state not in ("queued", "delivered"):
            mark_shown(db, made, now)
        if state in ("open", "ended"):
            accept(db, made, now)
        if state == "dismissed":
            dismiss(db, made, now)
        if state in ("expired", "ended"):
            end(db, made, ClosedBy.AGENT, now)
    assert state_of(collector, made.token) == state
    return made.token


STATES = ("queued", "delivered", "shown", "open", "dismissed", "expired", "ended", "left")
INVITED = ("queued", "delivered", "shown")
CLOSED = ("dismissed", "expired", "ended", "left")
CASES = [
    *[("shown", state, "shown") for state in INVITED],
    *[("shown", state, state) for state in STATES if state not in INVITED],
    *[("accept", state, "open") for state in (*INVITED, "open")],
    *[("accept", state, "over") for state in CLOSED],
    *[("dismiss", state, "dismissed") for state in INVITED],
    *[("dismiss", state, state) for state in ("open", *CLOSED)],
    *[("end", state, "dismissed") for state in INVITED],
    ("end", "open", "ended"),
    *[("end", state, state) for state in CLOSED],
    *[("typing", state, state) for state in STATES],
    *[("read", state, state) for state in STATES],
    *[("send", state, "open") for state in (*INVITED, "open")],
    *[("send", state, "over") for state in CLOSED],
]


@pytest.mark.parametrize(("action", "state", "then"), CASES)
def test_action_is_answered_by_the_state_of_the_conversation(shared, visit, action, state, then):
    token = token_in(shared, visit, state)

    answer = shared.call(action, c=token, n="visitor0002", x="Hello", to=1)

    if then == "over":
        assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (410, "over")
        assert answer.json() == {"error": "the conversation has ended"}
        assert state_of(shared, token) == state
        return
    assert answer.status_code == 200
    assert state_of(shared, token) == then
    revision = shared.row("SELECT revision FROM conversation WHERE token = :t", t=token)[0]
    if action == "send":
        assert answer.json() == {"id": revision, "number": 2}
    else:
        assert answer.json() == {"id": revision, "state": then}


@pytest.mark.parametrize("reason", ["consent", "opt_out", "page"])
@pytest.mark.parametrize(
    ("state", "then"), [("shown", "expired"), ("open", "ended"), ("dismissed", "dismissed")]
)
def test_end_says_why(shared, visit, reason, state, then):
    token = token_in(shared, visit, state)
    assert shared.call("end", c=token, w=reason).json()["state"] == then
    sql = "SELECT closed_by FROM conversation WHERE token = :t"
    expected = "visitor" if state == "dismissed" else reason
    assert shared.row(sql, t=token) == (expected,)


@pytest.mark.parametrize("action", ["shown", "accept", "dismiss", "end", "read", "send"])
def test_action_that_is_sent_twice_is_answered_twice_and_counts_once(shared, visit, action):
    state = "open" if action in ("end", "read", "send") else "delivered"
    token = token_in(shared, visit, state)

    answers = [shared.call(action, c=token, n="visitor0002", x="Hello", to=1) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("state", "status", "then"),
    [
        (None, 200, "left"),
        *[(state, 200, "open") for state in INVITED if state != "shown"],
        ("shown", 409, "invited"),
        ("open", 409, "chatting"),
        *[(state, 200, "left") for state in CLOSED],
    ],
)
def test_open_begins_a_conversation_where_there_is_none(shared, visit, state, status, then):
    token = token_in(shared, visit, state) if state else ""

    answer = shared.call("open", s=visit, t=TAB, n="visitor0009", x="Hello")

    assert answer.status_code == status
    if status == 200:
        assert answer.json()["state"] == then
        assert (answer.json()["c"] == token) == (then == "open")
    else:
        assert answer.headers["X-Drop-Reason"] == then
        assert token not in answer.text


@pytest.mark.parametrize(
    ("state", "status", "then"),
    [(None, 409, "not_offered"), ("delivered", 200, "open"), ("ended", 409, "not_offered")],
)
def test_open_without_a_button_answers_an_invitation_only(
    run_collector, sqlite_url, state, status, then
):
    collector = run_collector(sqlite_url)
    collector.post(view(), visit=VISIT)
    if state:
        token_in(collector, VISIT, state)
    answer = collector.call("open", s=VISIT, t=TAB, n="visitor0009", x="Hello")
    assert answer.status_code == status
    assert then in (answer.headers.get("X-Drop-Reason"), answer.json().get("state"))


def test_open_is_attended_while_an_agent_is_there(run_collector, sqlite_url):
    collector = run_collector(sqlite_url)
    attend(collector)
    token = open_chat(collector)
    assert state_of(collector, token) == "open"
    assert collector.row("SELECT chat_source FROM visit") == ("built_in",)


def test_open_is_not_attended_by_an_agent_who_does_not_see_the_site(run_collector, sqlite_url):
    collector = run_collector(sqlite_url)
    ann = attend(collector)
    states = []
    for visit, site_ids in ((VISIT, [2]), ("b" * 16, [1])):
        with writing(collector.engine) as db:
            set_account(db, ann.id or 0, email="ann@shop.example", role=Role.AGENT)
            limit_account(db, ann.id or 0, site_ids)
        refresh(collector)
        states.append(state_of(collector, open_chat(collector, s=visit)))
    assert states == ["left", "open"]


def test_open_twice_is_one_conversation(shared, visit):
    answers = [shared.call("open", s=visit, t=TAB, n="visitor0001", x="Hello") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert shared.row("SELECT count(*) FROM conversation WHERE visit_id = :v", v=visit) == (1,)


def test_open_sent_by_many_at_once_is_one_conversation(shared, visit):
    answers: list[httpx.Response] = []

    def send() -> None:
        answers.append(shared.call("open", s=visit, t=TAB, n="visitor0001", x="Hello"))

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.json()["c"] for answer in answers}) == 1
    assert len(answers) == 12


@pytest.mark.parametrize(
    ("visit_id", "ages"), [("nobody0000000001", 0), ("visitended000001", 31 * 60_000)]
)
def test_open_needs_a_visit_that_goes_on(run_collector, sqlite_url, visit_id, ages):
    collector = run_collector(sqlite_url)
    if ages:
        collector.post(view(), visit=visit_id)
        collector.clock.advance(ages)
    answer = collector.call("open", s=visit_id, t=TAB, n="visitor0001", x="Hello")
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (409, "no_visit")
    assert answer.json() == {"error": "the visit is over, or there is none"}


def test_visit_opens_at_most_ten_conversations_itself(shared, visit):
    answers = [
        shared.call("open", s=visit, t=TAB, n=f"visitor{number:04d}", x="ChatRequest me")
        for number in range(11)
    ]
    assert [answer.status_code for answer in answers] == [200] * 10 + [409]
    assert answers[-1].headers["X-Drop-Reason"] == "too_many"


@pytest.mark.parametrize("text", ["", " \n\t ", "\u200b\u202e", "\0"])
@pytest.mark.parametrize("action", ["open", "send"])
def test_message_without_text_is_refused(shared, visit, action, text):
    token = None if action == "open" else token_in(shared, visit, "open")
    answer = shared.call(action, c=token, s=visit, t=TAB, n="visitor0003", x=text)
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (400, "empty")


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("two\r\nlines", "two\nlines"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("a\u202eb\u0000c", "abc"),
        ("\U0001f6d2" * 2_001, "\U0001f6d2" * 2_000),
    ],
)
def test_text_is_kept_as_text(shared, visit, sent, stored):
    token = token_in(shared, visit, "open")
    assert shared.call("send", c=token, n="visitor0002", x=sent).status_code == 200
    sql = "SELECT text FROM message m JOIN conversation c ON c.id = m.conversation_id "
    assert shared.row(sql + "WHERE token = :t AND number = 2", t=token) == (stored,)


def test_half_characters_are_replaced_not_refused(shared, visit):
    token = token_in(shared, visit, "open")
    body = json.dumps({"v": 1, "k": "shop1", "c": token, "n": "visitor0002", "x": "cut \ud83d"})
    assert shared.call_with("send", body).status_code == 200
    assert "cut \ufffd" in shared.everything()


def test_token_of_another_site_is_not_known(shared, visit):
    token = token_in(shared, visit, "open")
    for action in ChatAction:
        if action not in (ChatAction.OPEN, ChatAction.LISTEN):
            with_all = {"n": "visitor0002", "x": "Hello", "e": "ada@shop.example", "g": "bad"}
            answer = shared.call(action, k="open", c=token, **with_all)
            assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (404, "no_conversation")


def test_calls_are_counted_by_their_result(shared, visit):
    before = call_count(shared, "accepted")
    token = token_in(shared, visit, "open")
    shared.call("typing", c=token)
    shared.call("poll", c=token)
    assert call_count(shared, "accepted") == before + 2


def test_visitors_words_never_reach_the_log(shared, visit, caplog, monkeypatch):
    from collector.chat import perform

    def fail(*_: Any, **__: Any) -> Refused:
        raise ZeroDivisionError("SECRET")

    token = token_in(shared, visit, "open")
    monkeypatch.setattr(perform, "send_as_visitor", fail)
    answer = shared.call("send", c=token, n="visitor0002", x="SECRET")
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (400, "fault")
    assert_readable(answer)
    assert "chat_order_failed" in caplog.text
    assert "SECRET" not in caplog.text
    assert token not in caplog.text
