"""What is open, counted over the workers of one collector."""

from __future__ import annotations

import pytest

from collector.http.held_counts import Full, HeldCounts, OwnCounts, SharedCounts
from collector.shared_limits import shared_limits

ROOM = 10


def workers() -> tuple[HeldCounts, HeldCounts]:
    """Those of two workers of one collector."""
    table = shared_limits(2).streams
    return SharedCounts(table, 1, ROOM), SharedCounts(table, 2, ROOM)


@pytest.fixture(params=["one worker", "two workers"])
def counts(request: pytest.FixtureRequest) -> tuple[HeldCounts, HeldCounts]:
    if request.param == "two workers":
        return workers()
    one = OwnCounts()
    return one, one


def test_client_has_its_limit_over_all_workers(counts: tuple[HeldCounts, HeldCounts]) -> None:
    one, other = counts
    assert [one.take("a", 2, 9), other.take("a", 2, 9)] == [None, None]
    assert [one.take("a", 2, 9), other.take("a", 2, 9)] == [Full.CLIENT] * 2
    other.give_back("a")
    assert one.take("a", 2, 9) is None


def test_all_have_their_limit_over_all_workers(counts: tuple[HeldCounts, HeldCounts]) -> None:
    one, other = counts
    assert [one.take("a", 5, 2), other.take("b", 5, 2)] == [None, None]
    assert [one.take("c", 5, 2), other.take("a", 5, 2)] == [Full.ALL] * 2
    one.give_back("a")
    assert other.take("c", 5, 2) is None


def test_room_is_told_as_it_is_found(counts: tuple[HeldCounts, HeldCounts]) -> None:
    one, other = counts
    assert other.has_room("a", 1, 2) and other.has_room("", 1, 2)
    assert one.take("a", 1, 2) is None
    assert [other.has_room("a", 1, 2), other.has_room("b", 1, 2)] == [False, True]
    assert other.take("", 1, 2) is None
    assert [each.has_room(client, 1, 2) for each in counts for client in ("b", "")] == [False] * 4


def test_client_without_a_limit_counts_in_all_only(counts: tuple[HeldCounts, HeldCounts]) -> None:
    one, other = counts
    assert [each.take("", 1, 4) for each in (one, other, one, other)] == [None] * 4
    assert one.take("", 1, 4) is Full.ALL


def test_worker_has_no_more_than_its_room() -> None:
    one, other = workers()
    taken = [one.take(f"client{number}", 5, 100) for number in range(ROOM + 1)]
    assert taken == [None] * ROOM + [Full.ALL]
    assert [one.has_room("new", 5, 100), other.has_room("new", 5, 100)] == [False, True]
    assert other.take("client0", 5, 100) is None


def test_what_a_worker_had_open_ends_with_it() -> None:
    limits = shared_limits(2)
    one, other = (SharedCounts(limits.streams, worker, ROOM) for worker in (1, 2))
    for each in (one, one, other):
        assert each.take("a", 3, 3) is None

    limits.forget_worker(1)

    again = SharedCounts(limits.streams, 1, ROOM)
    assert [again.take("a", 3, 3) for _ in range(3)] == [None, None, Full.CLIENT]
