"""What a visitor's side of a chat may call for, and what it is answered."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from collector.call import Action
from core.chat.conversations import end
from core.chat.invitations import accept, dismiss, invite, note_delivered, note_shown
from core.chat.words import ClosedBy, Refused
from core.database import writing
from core.settings import RateLimit
from core.tables import Conversation
from tests.collector.chatting import TAB, VISIT, attend, moment, open_chat, state_of
from tests.running_collector import RunningCollector, running_collector, view, wait_for

TOKEN = "t" * 32
_numbers = count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Any) -> Iterator[Any]:
    """One collector for all cases; each has a visit of its own."""
    file = shutil.copy(sqlite_template, tmp_path_factory.mktemp("calls") / "monitor.db")
    with running_collector(f"sqlite:///{file}") as collector:
        yield collector


@pytest.fixture
def visit(shared: RunningCollector) -> str:
    """A live visit that has no conversation yet."""
    visit_id = f"visit{next(_numbers):011d}"
    assert shared.post(view(), visit=visit_id).status_code == 200
    return visit_id


def token_in(collector: RunningCollector, visit: str, state: str) -> str:
    """The token of a conversation of the visit that stands there."""
    if state == "left":
        opened = collector.call("open", s=visit, t=TAB, n="visitor0001", x="Call me")
        return opened.json()["c"]
    now = moment(collector)
    with writing(collector.engine) as db:
        made = invite(db, site_id=1, visit_id=visit, agent_id=0, text="Hi", now=now)
        assert isinstance(made, Conversation)
        if state != "queued":
            note_delivered(db, 1, made.id, "", now)
        if state not in ("queued", "delivered"):
            note_shown(db, made, now)
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
def test_action_is_answered_as_the_conversation_stands(shared, visit, action, state, then):
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


@pytest.mark.parametrize("action", ["shown", "accept", "dismiss", "end", "read", "send"])
def test_action_that_is_told_twice_is_answered_twice_and_counts_once(shared, visit, action):
    state = "open" if action in ("end", "read", "send") else "delivered"
    token = token_in(shared, visit, state)

    answers = [shared.call(action, c=token, n="visitor0002", x="Hello", to=1) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("state", "status", "then"),
    [
        (None, 200, "left"),
        *[(state, 200, "open") for state in INVITED],
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


def test_open_is_attended_while_an_agent_is_there(run_collector, sqlite_url):
    collector = run_collector(sqlite_url)
    attend(collector)
    token = open_chat(collector)
    assert state_of(collector, token) == "open"
    assert collector.row("SELECT chat_source FROM visit") == ("built_in",)


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
        shared.call("open", s=visit, t=TAB, n=f"visitor{number:04d}", x="Call me")
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
    for action in Action:
        if action is not Action.OPEN:
            answer = shared.call(action, k="open", c=token, n="visitor0002", x="Hello")
            assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (404, "no_conversation")


def body(**fields: Any) -> Any:
    return {"v": 1, "k": "shop1", "c": TOKEN} | fields


DEEP = '{"v":1,"k":"shop1","c":"' + TOKEN + '","d":' + "[" * 3_000 + "]" * 3_000 + "}"
HOSTILE = [
    ("send", b"", 400, "malformed"),
    ("send", b"\xff\xfe", 400, "malformed"),
    ("send", "[]", 400, "malformed"),
    ("send", "null", 400, "malformed"),
    ("typing", DEEP, 400, "malformed"),
    ("typing", "[" * 16_000, 400, "malformed"),
    ("send", body(x="x" * 16_384, n="visitor0001"), 413, "too_large"),
    ("typing", body(v=True), 400, "malformed"),
    ("typing", body(v=2), 400, "malformed"),
    ("typing", body(k=5), 400, "malformed"),
    ("typing", body(k=""), 400, "malformed"),
    ("typing", body(c=""), 400, "malformed"),
    ("typing", body(c=None), 400, "malformed"),
    ("typing", body(c=[TOKEN]), 400, "malformed"),
    ("typing", body(c=TOKEN.upper()), 400, "malformed"),
    ("typing", body(c=TOKEN + "\n"), 400, "malformed"),
    ("typing", body(c=TOKEN + "t"), 400, "malformed"),
    ("typing", body(c="' OR 1=1 --"), 400, "malformed"),
    ("typing", body(), 404, "no_conversation"),
    ("stream", body(), 404, "no_conversation"),
    ("poll", body(), 404, "no_conversation"),
    ("send", body(x="Hi"), 400, "malformed"),
    ("send", body(x="Hi", n="short"), 400, "malformed"),
    ("send", body(x="Hi", n="n" * 41), 400, "malformed"),
    ("send", body(x=5, n="visitor0001"), 400, "malformed"),
    ("send", body(x=None, n="visitor0001"), 400, "malformed"),
    ("send", body(x={"a": 1}, n="visitor0001"), 400, "malformed"),
    ("send", body(x="Hi", n="visitor0001"), 404, "no_conversation"),
    ("read", body(to=True), 400, "malformed"),
    ("read", body(to=-1), 400, "malformed"),
    ("read", body(to="1"), 400, "malformed"),
    ("read", body(to=1.5), 400, "malformed"),
    ("read", body(to=2**31), 400, "malformed"),
    ("read", body(to=2**31 - 1), 404, "no_conversation"),
    ("stream", body(after=True), 400, "malformed"),
    ("stream", body(after=-1), 400, "malformed"),
    ("stream", body(after=2**63), 400, "malformed"),
    ("stream", body(after=2**63 - 1), 404, "no_conversation"),
    ("poll", body(after=10**400), 400, "malformed"),
    ("poll", body(after="0"), 400, "malformed"),
    ("open", body(s=VISIT, t=TAB), 400, "malformed"),
    ("open", body(s=VISIT, n="visitor0001", x="Hi"), 400, "malformed"),
    ("open", body(s="../..", t=TAB, n="visitor0001", x="Hi"), 400, "malformed"),
    ("open", body(s=VISIT, t="'\"<>", n="visitor0001", x="Hi"), 400, "malformed"),
    ("open", body(s=VISIT, t=TAB, r="r" * 41), 400, "malformed"),
    ("open", body(s=VISIT, t=TAB, r=True), 400, "malformed"),
    ("open", body(s=VISIT, t=TAB, r="norule"), 204, "not_now"),
    ("open", body(k="nosite", s=VISIT, t=TAB, n="visitor0001", x="Hi"), 403, "unknown_site"),
    ("typing", body(k="nosite"), 403, "unknown_site"),
]


@pytest.mark.parametrize(("action", "sent", "status", "reason"), HOSTILE)
def test_hostile_call_is_refused_readably_and_counted(shared, action, sent, status, reason):
    before = counted(shared, reason)
    answer = shared.call_with(action, sent)
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (status, reason)
    assert_readable(answer)
    if status != 204:
        assert set(answer.json()) == {"error"}
        assert "\n" not in answer.json()["error"]
    assert counted(shared, reason) == before + 1
    wait_for(lambda: shared.drops().get(reason, 0) > 0)


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"Origin": "https://evil.example"}, 403, "origin_not_allowed"),
        ({"Origin": "null"}, 403, "origin_not_allowed"),
        ({"Content-Encoding": "gzip"}, 415, "encoded"),
        ({"Sec-Purpose": "prefetch"}, 204, "prefetch"),
    ],
)
@pytest.mark.parametrize("action", list(Action))
def test_call_passes_the_same_checks_as_a_beacon(shared, action, headers, status, reason):
    sent = body(s=VISIT, t=TAB, n="visitor0001", x="Hi")
    answer = shared.call_with(action, sent, headers=headers)
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (status, reason)
    assert_readable(answer)


@pytest.mark.parametrize(
    ("method", "status"), [("OPTIONS", 204), ("GET", 405), ("PUT", 405), ("DELETE", 405)]
)
@pytest.mark.parametrize("action", ["send", "stream", "poll"])
def test_only_post_is_taken(shared, action, method, status):
    answer = shared.call_with(action, body(), method=method)
    assert answer.status_code == status
    assert_readable(answer)


@pytest.mark.parametrize(
    "action", ["", "nothing", "send/", "SEND", "../beacon", "%00", "x" * 5_000]
)
def test_unknown_action_is_not_found(shared, action):
    answer = shared.http.post(f"{shared.url}/v1/conversation/{action}", json=body())
    assert answer.status_code in (204, 400, 404)
    assert_readable(answer)


def test_tracking_that_is_off_refuses_every_call(run_collector, sqlite_url):
    collector = run_collector(sqlite_url)
    token = open_chat(collector)
    collector.change_site("shop1", tracking_enabled=False)
    collector.refresh_sites()
    for action in Action:
        answer = collector.call(action, c=token, s=VISIT, t=TAB, n="visitor0002", x="Hi")
        assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (403, "tracking_off")


def test_calls_and_beacons_have_one_rate(run_collector, sqlite_url):
    collector = run_collector(sqlite_url, rate_limit=RateLimit(1, 5))
    token = open_chat(collector)
    answers = [collector.call("typing", c=token) for _ in range(8)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert answers[-1].headers["X-Drop-Reason"] == "rate_limit"
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert collector.post(view(2)).status_code == 429
    assert_readable(answers[-1])


def test_calls_are_counted_by_their_result(shared, visit):
    before = counted(shared, "accepted")
    token = token_in(shared, visit, "open")
    shared.call("typing", c=token)
    shared.call("poll", c=token)
    assert counted(shared, "accepted") == before + 2


def test_visitors_words_never_reach_the_log(shared, visit, caplog, monkeypatch):
    from collector import chat_orders

    def fail(*_: Any, **__: Any) -> Refused:
        raise ZeroDivisionError("SECRET")

    token = token_in(shared, visit, "open")
    monkeypatch.setattr(chat_orders, "say_as_visitor", fail)
    answer = shared.call("send", c=token, n="visitor0002", x="SECRET")
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (400, "fault")
    assert_readable(answer)
    assert "chat_order_failed" in caplog.text
    assert "SECRET" not in caplog.text
    assert token not in caplog.text


def counted(collector: RunningCollector, result: str) -> float:
    """Calls with this result, as /metrics has them."""
    for line in collector.http.get("/metrics").text.splitlines():
        if line.startswith(f'monitor_chat_calls_total{{result="{result}"}}'):
            return float(line.split()[-1])
    return 0


def assert_readable(answer: httpx.Response) -> None:
    """Any page may read the answer and its reason."""
    assert answer.status_code < 500
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Drop-Reason" in answer.headers["Access-Control-Expose-Headers"]
    assert "Set-Cookie" not in answer.headers
