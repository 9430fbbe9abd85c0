"""What is of a busy site waits in its order, and nothing else waits for it."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from time import monotonic

import pytest
from msgspec import Struct

from collector.writing import site_turns
from collector.writing.inbox import Sent, WorkerLink
from collector.writing.site_turns import SiteTurns, Turn
from collector.writing.write_queue import ANSWER_WITHIN

MOST = 100


class NumberedMessage(Struct):
    site_id: int
    number: int


def message(site_id: int, number: int = 0, ago: float = 0.0) -> Sent:
    own = WorkerLink(socket.socketpair()[0])
    return Sent(own, number, NumberedMessage(site_id, number), monotonic() - ago)


def write(
    turns: SiteTurns, taken: Iterable[Sent], busy: Iterable[int] = (), most: int = MOST
) -> list[list[tuple[int, int]]]:
    """The messages of each batch that was written while these sites were busy."""
    written: list[list[tuple[int, int]]] = []
    busy = set(busy)
    for turn in turns.turns(list(taken), most):
        done, results = turns.settle(turn, [_result(each, busy) for each in turn.batch])
        assert len(done) == len(results)
        written.append([(each.message.site_id, each.message.number) for each in done])
    return written


def _result(waiting: Sent, busy: set[int]) -> Struct | None:
    return None if waiting.message.site_id in busy else waiting.message


def test_without_a_busy_site_there_is_one_batch() -> None:
    turns = SiteTurns()
    assert write(turns, [message(1), message(2)]) == [[(1, 0), (2, 0)]]
    assert turns.is_empty


def test_what_is_of_a_busy_site_is_tried_again_at_once_in_a_batch_of_its_own() -> None:
    turns = SiteTurns()
    taken = [message(1, 1), message(2, 1), message(1, 2)]
    assert write(turns, taken, busy=[1]) == [[(2, 1)], []]
    assert turns.due_in == 0
    assert write(turns, [], busy=[]) == [[(1, 1), (1, 2)]]
    assert turns.is_empty


def test_what_follows_of_a_busy_site_stands_behind_what_waits() -> None:
    turns = SiteTurns()
    write(turns, [message(1, 1)], busy=[1])
    assert write(turns, [message(1, 2), message(2)]) == [[(2, 0)], [(1, 1), (1, 2)]]


def test_a_site_that_has_much_waiting_is_written_in_several_batches() -> None:
    turns = SiteTurns()
    write(turns, [message(1, number) for number in range(5)], busy=[1])
    batches = [write(turns, [], most=2) for _ in range(3)]
    assert batches == [[[(1, 0), (1, 1)]], [[(1, 2), (1, 3)]], [[(1, 4)]]]


def test_only_a_batch_of_its_own_may_wait_for_a_lock() -> None:
    turns = SiteTurns()
    write(turns, [message(1)], busy=[1])
    found: list[Turn] = list(turns.turns([message(2)], MOST))
    assert [turn.within > 0 for turn in found] == [False, True]


def test_a_site_that_stays_busy_is_tried_more_and_more_rarely() -> None:
    turns = SiteTurns()
    write(turns, [message(1)], busy=[1])
    for _ in range(site_turns.TRIES_AT_ONCE - 2):
        assert turns.due_in == 0
        write(turns, [], busy=[1])
    write(turns, [], busy=[1])
    assert turns.due_in > 0
    assert write(turns, [message(1), message(2)], busy=[1]) == [[(2, 0)]]


def test_what_has_waited_too_long_is_refused_and_never_written() -> None:
    turns = SiteTurns()
    write(turns, [message(1, 1, ago=ANSWER_WITHIN + 1), message(1, 2), message(2, 3)], busy=[1, 2])
    assert [each.message.number for each in turns.take_overdue()] == [1]
    assert write(turns, []) == [[(1, 2)], [(2, 3)]]


def test_of_too_much_the_oldest_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_turns, "MOST_IN_LINE", 2)
    turns = SiteTurns()
    write(turns, [message(1, number) for number in range(5)], busy=[1])
    assert [each.message.number for each in turns.take_overdue()] == [0, 1, 2]


def test_what_begins_to_wait_is_told_once() -> None:
    turns = SiteTurns()
    write(turns, [message(1, 1), message(2, 2), message(1, 3)], busy=[1])
    assert [each.message.number for each in turns.take_held()] == [1, 3]
    write(turns, [message(1, 4)], busy=[1])
    assert [each.message.number for each in turns.take_held()] == [4]
    write(turns, [])
    assert turns.take_held() == []
