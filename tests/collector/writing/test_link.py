"""What travels between a worker and the writer arrives as it was, in whatever pieces."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from typing import Any

import pytest
import uvloop

from collector.chat.actions import (
    ACTIONS,
    RESULTS,
    ChatResult,
    Delivered,
    DeliverInvitation,
    InviteByRule,
    Invited,
)
from collector.control import Word, hand_link, hear, say
from collector.metrics import Metrics, process_numbers
from collector.writing.codec import (
    ActionCodec,
    decode_counts,
    decode_hit_results,
    decode_hits,
    encode,
    encode_counts,
    encoded_list,
)
from collector.writing.commit_state import WriterState
from collector.writing.counters import Counters, Counts
from collector.writing.frames import FrameKind, FrameReader, frame
from collector.writing.inbox import Inbox
from collector.writing.write_queue import SENT_EVERY, WriteQueue
from collector.writing.writer_link import WriterLink
from core.reasons import Reason, Refused
from core.visits.hit import Accepted, Cart, ChatReport, Event, EventKind, Hit, Opening

CODEC = ActionCodec(ACTIONS, RESULTS)
EVENT = Event(
    EventKind.VIEW, 1, 1_000, 900, "/ä", "Tea 🍵", focused=True, chat=ChatReport.START,
    attributes={"name": "Ann"}, cart=Cart(1.5, "EUR"),
)  # fmt: skip


def hit(number: int) -> Hit:
    return Hit(1, (f"visit{number}",), False, "tab1", 1_000, (EVENT,), Opening(country="DE"))


def test_frames_are_put_together_from_any_pieces() -> None:
    sent = (
        frame(FrameKind.HITS, b"first")
        + frame(FrameKind.STATE, b"")
        + frame(FrameKind.HITS, b"x" * 300)
    )
    for size in (1, 2, 5, 7, 311, len(sent)):
        reader = FrameReader()
        pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
        assert [each for piece in pieces for each in reader.read(piece)] == [
            (FrameKind.HITS, b"first"), (FrameKind.STATE, b""), (FrameKind.HITS, b"x" * 300),
        ]  # fmt: skip


@pytest.mark.parametrize("number", [0, 1, 20, 3_000])
def test_hits_arrive_as_they_were(number: int) -> None:
    hits = [hit(each) for each in range(number)]
    assert decode_hits(encoded_list([encode(each) for each in hits])) == hits


def test_results_arrive_as_they_were() -> None:
    results = [Accepted("visit1", True, "cart", 5, 2, False), Refused(Reason.TOO_MANY_VISITS, 9)]
    assert decode_hit_results(encode(([3, 1], results))) == ([3, 1], results)
    done = [
        ChatResult(5, "open", "token"),
        Refused(Reason.OVER),
        Invited("t", 1, "Hi"),
        Delivered(""),
    ]
    numbers = [5, 6, 2, 7]
    assert CODEC.decode_results(CODEC.encode_results(numbers, done)) == (numbers, done)


def test_actions_and_counts_arrive_as_they_were() -> None:
    actions = [
        InviteByRule(1, "shop", ("rule1",), "visit1", "tab1", 5),
        DeliverInvitation(1, "c", "", 5),
    ]
    assert CODEC.decode_actions(encoded_list([encode(each) for each in actions])) == actions
    counts = Counts(
        Counter({(1, 900_000, Reason.BOT): 3}), Counter({(1, "shop.example"): 2}), {"no_proxy"}
    )
    assert decode_counts(encode_counts(counts)) == counts


class AnsweringWriter:
    """A writer that answers only when it is told to."""

    def __init__(self, to_worker: socket.socket) -> None:
        self._to_writer, control = socket.socketpair()
        self.inbox = Inbox(control, CODEC, Counters())
        hand_link(to_worker, self._to_writer)
        self.inbox.read(5)

    async def until_it_has(self, number: int) -> None:
        """Wait until so many hits have arrived."""
        for _ in range(500):
            self.inbox.read()
            if len(self.inbox.hits) >= number:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{len(self.inbox.hits)} hits have arrived")

    def answer(self) -> None:
        """Accept all that has arrived."""
        batch = self.inbox.take_hits(9_999)
        self.inbox.give_hits(batch, [Accepted(sent.message.visit_ids[0]) for sent in batch])

    def die(self) -> None:
        """End, as if it was killed."""
        say(self._to_writer, Word.STOP)
        for link in list(self.inbox._links):
            link.socket.close()
        self._to_writer.close()


class WorkerSide:
    """A worker's queue and its link."""

    def __init__(self) -> None:
        self.queue, self.state = WriteQueue(), WriterState(lambda _: 0.0)
        self.to_worker, self._control = socket.socketpair()
        self.link = WriterLink(
            self.queue, Counters(), self.state, CODEC, Metrics(process_numbers(1), 0)
        )
        self.results: dict[int, Any] = {}

    async def connect(self) -> None:
        """Take the link that the parent has handed over."""
        link = hear(self._control).link
        assert link
        await self.link.connect(link)

    def submit(self, *numbers: int) -> None:
        for number in numbers:
            self.queue.submit(
                hit(number), lambda result, n=number: self.results.update({n: result})
            )

    async def until_answered(self, number: int) -> None:
        for _ in range(500):
            if len(self.results) >= number:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(self.results)


def test_what_a_dead_writer_had_is_refused_and_the_rest_goes_to_the_next(monkeypatch) -> None:
    monkeypatch.setattr("collector.writing.write_queue.MOST_SENT_HITS", 2)

    async def run() -> None:
        worker = WorkerSide()
        first = AnsweringWriter(worker.to_worker)
        await worker.connect()
        worker.submit(1, 2, 3)
        await first.until_it_has(2)
        assert worker.results == {}

        first.die()
        await worker.until_answered(2)
        assert worker.results == dict.fromkeys((1, 2), Refused(Reason.NOT_COMMITTED))
        assert not worker.state.is_linked

        second = AnsweringWriter(worker.to_worker)
        await worker.connect()
        await second.until_it_has(1)
        second.answer()
        await worker.until_answered(3)
        assert worker.results[3] == Accepted("visit3")
        assert worker.state.is_linked

    asyncio.run(run())


def test_result_that_cannot_be_taken_costs_no_other_one_and_not_the_link(caplog) -> None:
    def fail(_result: object) -> None:
        raise RuntimeError("no such connection")

    async def run() -> None:
        worker = WorkerSide()
        writer = AnsweringWriter(worker.to_worker)
        await worker.connect()
        worker.queue.submit(hit(0), fail)
        worker.submit(1)
        await writer.until_it_has(2)
        writer.answer()
        await worker.until_answered(1)

        worker.submit(2)
        await writer.until_it_has(1)
        writer.answer()
        await worker.until_answered(2)
        assert worker.results == {number: Accepted(f"visit{number}") for number in (1, 2)}

    asyncio.run(run())
    assert "result_not_taken fault=RuntimeError" in caplog.text


def test_worker_that_ends_waits_for_its_writer_but_not_for_one_that_is_gone(monkeypatch) -> None:
    monkeypatch.setattr("collector.writing.writer_link.CLOSES_WITHIN", 3_600)

    async def run() -> None:
        worker = WorkerSide()
        writer = AnsweringWriter(worker.to_worker)
        await worker.connect()
        worker.submit(1)
        await writer.until_it_has(1)
        stopping = asyncio.create_task(worker.link.stop())
        await asyncio.sleep(0)
        assert not stopping.done()
        writer.answer()
        await asyncio.wait_for(stopping, 20)
        assert worker.results == {1: Accepted("visit1")}

        alone = WorkerSide()
        alone.submit(2)
        await asyncio.wait_for(alone.link.stop(), 20)
        assert alone.results == {}

    asyncio.run(run())


def test_hits_beyond_what_the_writer_may_have_wait_for_results(monkeypatch) -> None:
    monkeypatch.setattr("collector.writing.write_queue.MOST_SENT_HITS", 2)

    async def run() -> None:
        worker = WorkerSide()
        writer = AnsweringWriter(worker.to_worker)
        await worker.connect()
        worker.submit(1, 2, 3, 4, 5)
        await writer.until_it_has(2)
        assert (len(writer.inbox.hits), worker.queue.depth) == (2, 5)
        for answered in (2, 4, 5):
            writer.answer()
            await worker.until_answered(answered)
            if answered < 5:
                await writer.until_it_has(1)
        assert worker.queue.is_empty

    asyncio.run(run())


def test_much_that_comes_at_once_is_sent_before_its_turn_ends() -> None:
    async def run() -> None:
        worker = WorkerSide()
        writer = AnsweringWriter(worker.to_worker)
        await worker.connect()
        worker.submit(*range(SENT_EVERY + 1))
        writer.inbox.read()  # the link
        writer.inbox.read()  # nothing was awaited: the loop has not turned since
        assert len(writer.inbox.hits) == SENT_EVERY
        await writer.until_it_has(SENT_EVERY + 1)
        writer.answer()
        await worker.until_answered(SENT_EVERY + 1)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as in the collector
        runner.run(run())


def test_what_comes_again_while_a_new_writer_takes_over_goes_to_that_one() -> None:
    """The old one may still be there: it is told nothing more, whose results would have other numbers."""

    async def run() -> None:
        worker = WorkerSide()
        first = AnsweringWriter(worker.to_worker)
        await worker.connect()

        def send(number: int) -> None:
            def take(result: Any) -> None:
                if isinstance(result, Refused):
                    send(number)
                else:
                    worker.results[number] = result

            worker.queue.submit(hit(number), take)

        for number in range(SENT_EVERY):
            send(number)
        await first.until_it_has(SENT_EVERY)
        second = AnsweringWriter(worker.to_worker)
        await worker.connect()
        await second.until_it_has(SENT_EVERY)
        second.answer()
        await worker.until_answered(SENT_EVERY)
        assert worker.results == {
            number: Accepted(f"visit{number}") for number in range(SENT_EVERY)
        }
        first.inbox.read()
        assert len(first.inbox.hits) == SENT_EVERY

    asyncio.run(run())


def test_results_go_to_the_worker_that_has_sent_the_hit() -> None:
    async def run() -> None:
        control, of_writer = socket.socketpair()
        inbox = Inbox(of_writer, CODEC, Counters())
        workers = WorkerSide(), WorkerSide()
        for worker in workers:
            hand_link(worker.to_worker, control)
            await worker.connect()
        workers[0].submit(1, 2)
        workers[1].submit(3)
        for _ in range(500):
            inbox.read()
            if len(inbox.hits) == 3:
                break
            await asyncio.sleep(0.01)
        batch = inbox.take_hits(10)
        inbox.give_hits(batch, [Accepted(sent.message.visit_ids[0]) for sent in batch])
        await workers[0].until_answered(2)
        await workers[1].until_answered(1)
        assert workers[0].results == {1: Accepted("visit1"), 2: Accepted("visit2")}
        assert workers[1].results == {3: Accepted("visit3")}

    asyncio.run(run())
