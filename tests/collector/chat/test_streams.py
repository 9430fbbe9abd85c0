"""Conversations on the wire: streams and polls."""

from __future__ import annotations

import socket
import threading
from typing import Any

import httpx
import pytest

from collector.chat import stream_route, streams
from core import subscribers
from core.chat.conversations import end, mark_typing
from core.chat.handover import take_over
from core.chat.messages import send_as_agent
from core.chat.states import Author, ClosedBy
from core.chat.store import find_by_token
from core.database import writing
from core.reasons import Refused
from tests.helpers.collector_chats import (
    attend,
    moment,
    open_chat,
    open_stream,
    say,
    send_invitation,
    state_of,
)
from tests.helpers.running_collector import MINUTE, view, wait_for


def test_messages_travel_both_ways_over_a_stream(run_collector, database_url):
    collector = run_collector(database_url)
    agent = attend(collector)
    token = open_chat(collector, "Hello")
    with open_stream(collector, token) as reader:
        first = reader.next()
        assert (first["state"], first["from"], first["read"], first["by"]) == ("open", "", 0, "")
        assert [(m["n"], m["a"], m["x"], m["i"], m["f"]) for m in first["m"]] == [
            (1, 0, "Hello", "visitor0001", "")
        ]
        say(collector, agent, token, "Good day")
        update = reader.next()
        assert update["from"] == "Ann"
        assert [(m["n"], m["a"], m["x"], m["f"]) for m in update["m"]] == [
            (2, 1, "Good day", "Ann")
        ]
        assert collector.call("send", c=token, n="visitor0002", x="Thanks").json()["number"] == 3
        assert [(m["n"], m["i"]) for m in reader.messages(1)] == [(3, "visitor0002")]


def test_stream_is_an_event_stream_that_nothing_may_hold_back(collector):
    token = open_chat(collector)
    with open_stream(collector, token) as reader:
        assert reader.status == 200
        assert reader.headers["Content-Type"] == "text/event-stream"
        assert reader.headers["Cache-Control"] == "no-store"
        assert reader.headers["X-Accel-Buffering"] == "no"
        assert reader.headers["Access-Control-Allow-Origin"] == "*"
        lines = [reader.line() for _ in range(3)]
        assert lines[0].startswith("id: ")
        assert lines[1].startswith("data: {")
        assert lines[2] == ""


def test_stream_sends_typing_reading_and_who_has_the_conversation(collector):
    ann, bob = attend(collector), attend(collector, "Bob")
    token = open_chat(collector)
    say(collector, ann, token, "Hello")
    with open_stream(collector, token) as reader:
        assert reader.next()["typing"] == 0
        with writing(collector.engine) as db:
            conversation = find_by_token(db, 1, token)
            assert conversation is not None
            mark_typing(db, conversation, Author.AGENT, moment(collector))
        assert reader.next()["typing"] == 6_000
        collector.clock.advance(4_000)
        collector.call("read", c=token, to=2)
        update = reader.next()
        assert (update["read"], update["typing"]) == (2, 2_000)
        collector.clock.advance(2_000)
        with open_stream(collector, token) as another:
            assert another.next()["typing"] == 0
        with writing(collector.engine) as db:
            take_over(db, conversation, bob.id or 0, moment(collector))
        assert reader.next()["from"] == "Bob"


def test_stream_goes_on_where_it_was_left(collector):
    agent = attend(collector)
    token = open_chat(collector)
    with open_stream(collector, token) as reader:
        cursor = reader.next()["id"]
    for number in range(5):
        say(collector, agent, token, f"line {number}")
    with open_stream(collector, token, cursor) as reader:
        update = reader.next()
        assert [m["n"] for m in update["m"]] == [2, 3, 4, 5, 6]
    with open_stream(collector, token, update["id"]) as reader:
        assert reader.next()["m"] == []
        say(collector, agent, token, "line 5")
        assert [m["n"] for m in reader.messages(1)] == [7]


def test_stream_ends_after_the_last_update(collector):
    attend(collector)
    token = open_chat(collector)
    with open_stream(collector, token) as reader:
        reader.next()
        with writing(collector.engine) as db:
            conversation = find_by_token(db, 1, token)
            assert conversation is not None
            end(db, conversation, ClosedBy.AGENT, moment(collector))
        last = reader.next()
        assert (last["state"], last["by"]) == ("ended", "agent")
        with pytest.raises(StopIteration):
            reader.next()


@pytest.mark.parametrize("action", ["stream", "poll"])
def test_conversation_that_is_over_is_sent_at_once_and_ends(collector, action):
    token = open_chat(collector)  # no agent is there: the message is left
    revision = collector.call("poll", c=token).json()["id"]
    answer = collector.call(action, c=token, after=revision)
    assert answer.status_code == 200
    assert '"state":"left"' in answer.text


def test_invitation_can_be_listened_to_before_it_is_accepted(quick_closing, collector):
    agent = attend(collector)
    collector.post(view())
    invited = send_invitation(collector, agent)
    with open_stream(collector, invited.token) as reader:
        assert reader.next()["state"] == "queued"
        collector.call("shown", c=invited.token)
        assert reader.next()["state"] == "shown"
        collector.clock.advance(6 * 60_000)
        assert reader.next()["state"] == "expired"


def test_stream_gets_nothing_of_other_conversations(collector):
    agent = attend(collector)
    token = open_chat(collector)
    other = open_chat(collector, s="z1b2c3d4e5f6g7h8", n="visitor0009")
    with open_stream(collector, token) as reader:
        reader.next()
        say(collector, agent, other, "for the other")
        say(collector, agent, token, "for you")
        assert [m["x"] for m in reader.next()["m"]] == ["for you"]


def test_silent_stream_gives_signs_of_life(collector, monkeypatch):
    monkeypatch.setattr(subscribers, "HEARTBEAT_EVERY", 1.0)
    monkeypatch.setattr(subscribers, "CHECK_EVERY", 0.05)
    agent = attend(collector)
    token = open_chat(collector)
    with open_stream(collector, token) as reader:
        reader.next()
        assert [reader.line() for _ in range(4)] == ["", ":", "", ":"]
        say(collector, agent, token, "still there?")
        assert reader.next()["m"][0]["x"] == "still there?"


def test_poll_gives_what_is_new_at_once(collector):
    agent = attend(collector)
    token = open_chat(collector)
    first = collector.call("poll", c=token).json()
    say(collector, agent, token, "Good day")
    second = collector.call("poll", c=token, after=first["id"]).json()
    assert [m["x"] for m in first["m"]] == ["Hello"]
    assert [m["x"] for m in second["m"]] == ["Good day"]


def test_poll_waits_for_news_and_is_answered_with_them(collector):
    agent = attend(collector)
    token = open_chat(collector)
    revision = collector.call("poll", c=token).json()["id"]
    answers: list[httpx.Response] = []
    poll = threading.Thread(
        target=lambda: answers.append(collector.call("poll", c=token, after=revision))
    )
    poll.start()
    wait_for(lambda: open_streams(collector) == 1)
    assert not answers
    say(collector, agent, token, "Good day")
    poll.join(5)
    assert [m["x"] for m in answers[0].json()["m"]] == ["Good day"]


def test_poll_without_news_is_answered_in_the_end(collector, monkeypatch):
    monkeypatch.setattr(subscribers, "POLL_WAITS", 0.3)
    attend(collector)
    token = open_chat(collector)
    revision = collector.call("poll", c=token).json()["id"]
    answer = collector.call("poll", c=token, after=revision)
    assert answer.status_code == 204
    assert "X-Drop-Reason" not in answer.headers
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(("minutes", "status"), [(29, 200), (30, 410)])
@pytest.mark.parametrize("action", ["stream", "poll", "read"])
def test_what_ended_long_ago_is_not_sent_any_more(collector, action, minutes, status):
    attend(collector)
    token = open_chat(collector)
    collector.call("end", c=token)
    collector.clock.advance(minutes * MINUTE)
    answer = collector.call(action, c=token)
    assert answer.status_code == status


@pytest.mark.parametrize("action", ["stream", "poll"])
def test_client_that_has_gone_is_forgotten(collector, action):
    attend(collector)
    token = open_chat(collector)
    revision = collector.call("poll", c=token).json()["id"]
    with connection(collector, action, token, revision):
        wait_for(lambda: open_streams(collector) == 1)
    wait_for(lambda: open_streams(collector) == 0)


def test_reader_that_is_too_slow_is_cut_off_and_holds_up_nobody(collector, monkeypatch):
    monkeypatch.setattr(streams, "MOST_BEHIND", 3)
    monkeypatch.setattr(subscribers, "HEARTBEAT_EVERY", 1.0)
    agent = attend(collector)
    token = open_chat(collector)
    with open_stream(collector, token) as quick, connection(collector, "stream", token) as slow:
        quick.messages(1)
        wait_for(lambda: open_streams(collector) == 2)
        while open_streams(collector) == 2:
            send_much(collector, agent, token)
            assert len(quick.messages(100)) == 100
        assert open_streams(collector) == 1
        slow.settimeout(5)
        with pytest.raises(OSError):
            while slow.recv(1 << 16):
                pass
            raise ConnectionResetError


def test_nothing_is_lost_or_doubled_over_a_restart(run_collector, database_url):
    first = run_collector(database_url)
    agent = attend(first)
    token = open_chat(first)
    with open_stream(first, token) as reader:
        say(first, agent, token, "before")
        received = reader.messages(2)
        cursor = first.call("poll", c=token).json()["id"]
    say(first, agent, token, "meanwhile")
    second = run_collector(database_url)
    with open_stream(second, token, cursor) as reader:
        received += reader.messages(1)
        say(second, agent, token, "after")
        received += reader.messages(1)
    assert [m["x"] for m in received] == ["Hello", "before", "meanwhile", "after"]


def test_streams_of_two_collectors_send_the_same(run_collector, postgres_url):
    one, two = run_collector(postgres_url), run_collector(postgres_url)
    agent = attend(one)
    token = open_chat(one)
    with open_stream(one, token) as here, open_stream(two, token) as there:
        say(one, agent, token, "to both")
        two.call("send", c=token, n="visitor0002", x="by the second")
        one.call("send", c=token, n="visitor0003", x="by the first")
        received = [[(m["n"], m["x"], m["f"]) for m in each.messages(4)] for each in (here, there)]
    assert received[0] == received[1]
    assert [x for _, x, _ in received[0]] == ["Hello", "to both", "by the second", "by the first"]
    assert received[0][1][2] == "Ann"


@pytest.mark.parametrize("action", ["stream", "poll"])
def test_database_that_hangs_is_not_waited_for(collector, monkeypatch, action):
    release = threading.Event()
    token = open_chat(collector)
    monkeypatch.setattr(stream_route, "LOADED_WITHIN", 0.2)
    monkeypatch.setattr(stream_route, "find_by_token", lambda *_: release.wait(60) and None)
    answer = collector.call(action, c=token)
    release.set()
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (503, "not_committed")
    assert int(answer.headers["Retry-After"]) > 0


def test_update_that_overlaps_the_first_read_doubles_nothing(collector):
    agent = attend(collector)
    token = open_chat(collector)
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            say(collector, agent, token, "line")

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        for _ in range(6):
            with open_stream(collector, token) as reader:
                numbers = [m["n"] for m in reader.messages(60)]
                assert numbers == list(range(1, len(numbers) + 1))
    finally:
        stop.set()
        talker.join()


def test_streams_survive_an_attendance_that_cannot_be_read(collector, monkeypatch):
    ann = attend(collector)
    token = open_chat(collector)
    with open_stream(collector, token) as reader:
        reader.next()
        attendance = collector.app.conversation.attendance
        monkeypatch.setattr(attendance, "_names", {})
        monkeypatch.setattr(attendance, "refresh", fail)
        say(collector, ann, token, "Good day")
        assert [m["x"] for m in reader.next()["m"]] == ["Good day"]


def test_conversation_ends_by_silence_for_who_listens(quick_closing, collector):
    attend(collector)
    token = open_chat(collector)
    with open_stream(collector, token) as reader:
        reader.next()
        collector.clock.advance(20 * 60_000)
        last = reader.next()
        assert (last["state"], last["by"]) == ("ended", "silence")
    assert state_of(collector, token) == "ended"
    assert collector.row("SELECT chat_source FROM visit") == ("",)


def fail() -> None:
    raise OSError("the database is away")


def send_much(collector: Any, agent: Any, token: str) -> None:
    """Send some 800 KB in one update."""
    with writing(collector.engine) as db:
        conversation = find_by_token(db, 1, token)
        assert conversation is not None
        for number in range(100):
            message = send_as_agent(
                db,
                conversation,
                agent_id=agent.id,
                client_id=f"agent{conversation.message_count:06d}{number:04d}",
                text="\U0001f6d2" * 2_000,
                now=moment(collector),
            )
            assert not isinstance(message, Refused), message


def open_streams(collector: Any) -> int:
    """The number of open streams and polls, from /metrics."""
    (line,) = [
        line
        for line in collector.http.get("/metrics").text.splitlines()
        if line.startswith("monitor_chat_streams ")
    ]
    return int(float(line.split()[-1]))


def connection(collector: Any, action: str, token: str, after: int = 0) -> socket.socket:
    """A connection that has sent a request and reads nothing."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    found.connect(("127.0.0.1", collector.port))
    body = b'{"v":1,"k":"shop1","c":"%b","after":%d}' % (token.encode(), after)
    head = f"POST /v1/conversation/{action} HTTP/1.1\r\nHost: x\r\nOrigin: https://shop.example\r\n"
    found.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    return found


@pytest.mark.parametrize("step", ["follow", "_publish", "update"])
def test_streams_are_let_go_when_telling_fails_and_nothing_is_lost(
    collector, monkeypatch, caplog, step
):
    agent = attend(collector)
    token = open_chat(collector)
    held = collector.app.conversation.streams.streams
    with open_stream(collector, token) as reader:
        cursor = reader.next()["id"]
        _raise_once(
            monkeypatch, collector.app.conversation.attendance if step == "follow" else held, step
        )
        say(collector, agent, token, "Good day")
        with pytest.raises(StopIteration):
            reader.next()
    with open_stream(collector, token, cursor) as reader:
        assert [m["x"] for m in reader.messages(1)] == ["Good day"]
        say(collector, agent, token, "Still there?")
        assert [m["x"] for m in reader.messages(1)] == ["Still there?"]
    assert "chat_feed_fails fault=RuntimeError" in caplog.text
    assert "what a visitor wrote" not in caplog.text
    wait_for(lambda: "monitor_chat_feed_up 1.0" in collector.http.get("/metrics").text)


def test_invitation_whose_telling_has_failed_is_told_again(collector, monkeypatch):
    agent = attend(collector)
    assert collector.post(view()).status_code == 200
    _raise_once(monkeypatch, collector.app.beacon.offers.waiting, "take")
    send_invitation(collector, agent)  # waits until the collector has it


def test_stream_of_a_feed_that_goes_on_failing_gets_no_heartbeat(collector, monkeypatch):
    monkeypatch.setattr(subscribers, "HEARTBEAT_EVERY", 0.1)
    monkeypatch.setattr(subscribers, "CHECK_EVERY", 0.05)
    agent = attend(collector)
    token = open_chat(collector)
    held = collector.app.conversation.streams.streams

    def fail(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(held, "_publish", fail)
    say(collector, agent, token, "Good day")
    wait_for(lambda: "monitor_chat_feed_up 0.0" in collector.http.get("/metrics").text)
    with open_stream(collector, token) as reader:  # the next try ends it
        assert [m["x"] for m in reader.messages(2)] == ["Hello", "Good day"]
        with pytest.raises(StopIteration):
            reader.next()
        assert reader.heartbeats == 0


def _raise_once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """Its next call raises an error that nobody foresaw."""
    function = getattr(owner, name)

    def raise_once(*_arguments: object) -> None:
        monkeypatch.setattr(owner, name, function)
        raise RuntimeError("what a visitor wrote")

    monkeypatch.setattr(owner, name, raise_once)
