"""How many beacons one address may send."""

import pytest

from collector.http import rate_limit
from collector.http.rate_limit import RateLimiter, SharedRateLimiter
from collector.shared_table import SharedTable
from core.settings import RateLimit


class Watch:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture(params=["one worker", "several workers"])
def limiter(request, watch):
    if request.param == "one worker":
        return RateLimiter(RateLimit(10, 40), watch)
    return SharedRateLimiter(RateLimit(10, 40), SharedTable(1_024, 2), watch)


def test_burst_passes_and_the_next_one_waits(limiter):
    assert [limiter.take("a") for _ in range(41)] == [0] * 40 + [1]


def test_bucket_fills_at_the_rate(limiter, watch):
    for _ in range(40):
        limiter.take("a")

    watch.now += 0.5

    assert [limiter.take("a") for _ in range(6)] == [0] * 5 + [1]


def test_bucket_never_holds_more_than_the_burst(limiter, watch):
    limiter.take("a")
    watch.now += 3_600

    assert [limiter.take("a") for _ in range(41)].count(0) == 40


def test_addresses_do_not_share(limiter):
    for _ in range(41):
        limiter.take("a")

    assert limiter.take("b") == 0


def test_wait_is_given_in_whole_seconds_and_suffices(watch):
    limiter = RateLimiter(RateLimit(1, 2), watch)
    waits = [limiter.take("a") for _ in range(3)]
    watch.now += waits[-1]

    assert waits == [0, 0, 1]
    assert limiter.take("a") == 0


def test_without_a_rate_everything_passes():
    limiter = RateLimiter(None)

    assert {limiter.take("a") for _ in range(1_000)} == {0}


def test_workers_count_the_requests_of_an_address_together(watch):
    table = SharedTable(1_024, 2)
    one, other = (SharedRateLimiter(RateLimit(1, 3), table, watch) for _ in range(2))

    assert [each.take("a") for each in (one, other, one, other)] == [0, 0, 0, 1]
    watch.now += 1
    assert [each.take("a") for each in (one, other)] == [0, 1]


def test_memory_is_bounded_and_forgets_the_oldest(watch, monkeypatch):
    limiter = RateLimiter(RateLimit(10, 40), watch)
    monkeypatch.setattr(rate_limit, "MAX_BUCKETS", 3)
    for address in ("a", "b", "c"):
        for _ in range(40):
            limiter.take(address)

    assert limiter.take("a") == 1
    limiter.take("d")

    assert limiter.take("a") == 1, "heard of just now"
    assert limiter.take("b") == 0, "forgotten: its bucket is full again"


def test_buckets_that_are_full_again_take_no_memory(watch):
    limiter = RateLimiter(RateLimit(10, 40), watch)
    for number in range(1_000):
        limiter.take(f"address {number}")
        watch.now += 0.01
    watch.now += 4.1

    for _ in range(500):
        limiter.take("a")

    assert len(limiter._buckets) == 1
