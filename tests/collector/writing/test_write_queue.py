"""The chat's writes, together with those of beacons and with each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import IntegrityError

from collector.chat import perform
from collector.writing import write_queue
from collector.writing.writer import Writer
from core.database import open_database, writing
from tests.helpers.collector_chats import attend, open_chat
from tests.helpers.running_collector import view, wait_for


class Sender:
    """Calls that are in progress."""

    def __init__(self, collector: Any, token: str) -> None:
        self._collector = collector
        self._token = token
        self._threads: list[threading.Thread] = []
        self.answers: dict[str, httpx.Response] = {}

    def send(self, text: str) -> None:
        """Send the message; its text without blanks is its id."""
        thread = threading.Thread(target=self._send, args=(text,))
        thread.start()
        self._threads.append(thread)

    def statuses(self) -> dict[str, int]:
        """The status of each call, once all are answered."""
        for thread in self._threads:
            thread.join(20)
        return {text: answer.status_code for text, answer in self.answers.items()}

    def _send(self, text: str) -> None:
        self.answers[text] = self._collector.call("send", c=self._token, n=text, x=text)


@contextmanager
def queued(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Block the writer meanwhile; yields the number of items that it then takes in each batch."""
    gate, taken = threading.Event(), []
    commit = Writer._commit_actions

    def commit_later(self: Any) -> None:
        assert gate.wait(20)
        self._inbox.read()
        if self._inbox.actions:
            taken.append(len(self._inbox.actions))
        commit(self)

    monkeypatch.setattr(Writer, "_commit_actions", commit_later)
    try:
        yield taken
    finally:
        gate.set()


def stored_texts(collector: Any) -> list[str]:
    return [text for (text,) in collector.rows("SELECT text FROM message ORDER BY number")]


def test_message_to_a_locked_database_is_sent_again_and_counts_once(
    run_collector, sqlite_url, monkeypatch
):
    collector = run_collector(sqlite_url)
    attend(collector)
    token = open_chat(collector)
    monkeypatch.setattr(write_queue, "ANSWER_WITHIN", 0.3)
    with writing(open_database(sqlite_url)):
        first = collector.call("send", c=token, n="message1", x="Anybody?")
        assert (first.status_code, first.headers["X-Drop-Reason"]) == (503, "not_committed")
        assert int(first.headers["Retry-After"]) > 0
        assert first.headers["Access-Control-Allow-Origin"] == "*"
    again = wait_for(lambda: retry(collector, token))
    assert again.json()["number"] == 2
    assert stored_texts(collector) == ["Hello", "Anybody?"]


def retry(collector: Any, token: str) -> httpx.Response | None:
    answer = collector.call("send", c=token, n="message1", x="Anybody?")
    return answer if answer.status_code == 200 else None


@pytest.mark.parametrize(
    "fault", [ZeroDivisionError(), IntegrityError("", None, ValueError()), KeyError("secret")]
)
def test_order_that_fails_undoes_its_own_work_and_no_other(
    run_collector, database_url, monkeypatch, fault
):
    collector = run_collector(database_url)
    attend(collector)
    sender = Sender(collector, open_chat(collector))
    send_as_visitor = perform.send_as_visitor

    def fail_after_one(db: Any, conversation: Any, **message: Any) -> Any:
        found = send_as_visitor(db, conversation, **message)
        if message["text"] == "message3":
            raise fault
        return found

    monkeypatch.setattr(perform, "send_as_visitor", fail_after_one)
    texts = [f"message{number}" for number in range(6)]
    with queued(monkeypatch):
        for text in texts:
            sender.send(text)
        wait_for(lambda: len(collector.app.conversation.write_queue.actions) == len(texts))
    assert sender.statuses() == {text: 400 if text == "message3" else 200 for text in texts}
    assert sorted(stored_texts(collector)) == [
        "Hello",
        *(text for text in texts if text != "message3"),
    ]


def test_orders_are_not_starved_by_beacons(collector, monkeypatch):
    monkeypatch.setattr("collector.writing.writer.MOST_HITS_AT_ONCE", 1)
    attend(collector)
    token = open_chat(collector)
    write = Writer._write

    def write_slowly(self: Any, hits: Any, within: float) -> Any:
        sleep(0.1)
        return write(self, hits, within)

    monkeypatch.setattr(Writer, "_write", write_slowly)
    visitors = [
        threading.Thread(target=collector.post, args=(view(),), kwargs={"visit": f"v{n:015d}"})
        for n in range(30)
    ]
    for visitor in visitors:
        visitor.start()
    wait_for(lambda: collector.app.beacon.write_queue.depth > 20)
    began = monotonic()
    assert collector.call("send", c=token, n="message1", x="Hello").status_code == 200
    assert collector.app.beacon.write_queue.depth > 0, "the beacons were all stored before"
    assert monotonic() - began < 2
    for visitor in visitors:
        visitor.join()


def test_order_beyond_the_queue_is_refused_at_once(collector, monkeypatch):
    attend(collector)
    token = open_chat(collector)
    monkeypatch.setattr(write_queue, "MOST_ACTIONS", 0)
    answer = collector.call("send", c=token, n="message1", x="Hello")
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (503, "queue_full")
    assert int(answer.headers["Retry-After"]) > 0


def test_one_transaction_takes_the_orders_that_wait(collector, monkeypatch):
    attend(collector)
    sender = Sender(collector, open_chat(collector))
    with queued(monkeypatch) as taken:
        for number in range(20):
            sender.send(f"message{number}")
        wait_for(lambda: len(collector.app.conversation.write_queue.actions) == 20)
    assert set(sender.statuses().values()) == {200}
    assert taken == [20]
    assert len(stored_texts(collector)) == 21
