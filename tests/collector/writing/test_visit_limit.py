"""How many visits one address may open."""

from __future__ import annotations

import pytest

from collector.writing import visit_limit
from collector.writing.visit_limit import UNLIMITED, WIDE_TIMES, VisitLimit
from core.settings import RateLimit

HOUR_AND_MORE = 5_000.0


class BucketClock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> BucketClock:
    return BucketClock()


@pytest.fixture
def limit(clock) -> VisitLimit:
    return VisitLimit(RateLimit(2, 300), clock)


def opened(limit: VisitLimit, times: int, block: str = "a", wide_block: str = "") -> int:
    """How many of so many visits open, each in a transaction of its own."""
    return sum(not take(limit, block, wide_block) for _ in range(times))


def take(limit: VisitLimit, block: str = "a", wide_block: str = "") -> int:
    allowance = limit.allow()
    wait = allowance.take(block, wide_block)
    allowance.keep()
    return wait


def test_burst_opens_and_the_next_one_waits(limit):
    assert opened(limit, 400) == 300
    assert take(limit) == 1


def test_visits_of_one_transaction_are_counted_together(limit):
    allowance = limit.allow()
    waits = [allowance.take("a", "") for _ in range(302)]
    allowance.keep()

    assert waits == [0] * 300 + [1, 1]
    assert take(limit) == 1


def test_bucket_fills_at_the_rate_and_never_above_the_burst(limit, clock):
    opened(limit, 300)
    clock.now += 2.5
    assert opened(limit, 10) == 5

    clock.now += HOUR_AND_MORE
    assert opened(limit, 400) == 300


def test_wait_is_given_in_whole_seconds_and_suffices(clock):
    limit = VisitLimit(RateLimit(1 / 60, 1), clock)
    waits = [take(limit), take(limit)]
    assert waits == [0, 60]

    clock.now += waits[-1]
    assert take(limit) == 0


def test_what_is_not_kept_is_not_spent(limit):
    undone = limit.allow()
    assert [undone.take("a", "") for _ in range(300)] == [0] * 300

    assert opened(limit, 301) == 300


def test_addresses_do_not_share(limit):
    opened(limit, 300)

    assert take(limit, "b") == 0


def test_networks_of_one_customer_share_ten_times_as_much(limit):
    networks = [f"net{number}" for number in range(30)]

    opens = [opened(limit, 150, network, "customer") for network in networks]

    assert sum(opens) == 300 * WIDE_TIMES
    assert take(limit, "another network", "customer") == 1
    assert take(limit, "another network", "another customer") == 0


def test_refused_visit_takes_from_neither_bucket(limit):
    opened(limit, 1_000, "one", "customer")

    assert opened(limit, 10_000, "two", "customer") == 300
    assert opened(limit, 10_000, "three", "customer") == 300


def test_without_a_rate_every_visit_opens():
    assert {UNLIMITED.take("a", "") for _ in range(1_000)} == {0}


def test_memory_is_bounded_and_forgets_what_was_spent_longest_ago(limit, monkeypatch):
    monkeypatch.setattr(visit_limit, "MAX_BUCKETS", 3)
    for block in ("a", "b", "c"):
        opened(limit, 299, block)
    opened(limit, 1, "a")
    opened(limit, 1, "d")

    assert take(limit, "a") == 1, "spent just now"
    assert opened(limit, 300, "b") == 300, "forgotten: its bucket is full again"


def test_buckets_that_are_full_again_take_no_memory(limit, clock):
    for number in range(1_000):
        take(limit, f"block {number}", "wide")
    clock.now += 150.1

    take(limit, "a")

    assert len(limit._tokens) == 1
