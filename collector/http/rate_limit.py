"""How many requests one address may send: a bucket of tokens each, filled at a steady rate."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from time import monotonic

from collector.shared_table import SharedTable
from core.settings import RateLimit

MAX_BUCKETS = 100_000
"""Addresses with a bucket; the one that has been silent for longest is dropped first."""

FORGOTTEN_AT_ONCE = 2
"""Full buckets that each request drops: more than it can add."""


class RateLimiter:
    """Counts the requests of each address in the memory of this process. Without a rate everything passes."""

    def __init__(
        self, rate: RateLimit | None, monotonic_clock: Callable[[], float] = monotonic
    ) -> None:
        self._rate = rate
        self._clock = monotonic_clock
        self._full_after = rate.burst / rate.per_second if rate else 0.0
        # The first one has been silent for longest. A dict would look for its first one behind all that were taken out.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> int:
        """0 when the request may pass, else the whole seconds after which the next one may."""
        if self._rate is None:
            return 0
        now, buckets = self._clock(), self._buckets
        tokens, since = buckets.get(address) or (float(self._rate.burst), now)
        left, wait = _take(self._rate, tokens, now - since)
        buckets[address] = (left, now)
        buckets.move_to_end(address)
        self._forget(now - self._full_after)
        return wait

    def _forget(self, full_since: float) -> None:
        """Drop those that are full again: an address without a bucket may send as much."""
        for _ in range(FORGOTTEN_AT_ONCE):
            address = next(iter(self._buckets))
            if self._buckets[address][1] > full_since and len(self._buckets) <= MAX_BUCKETS:
                break
            del self._buckets[address]


class SharedRateLimiter:
    """Counts those that all workers get: in its place an address has when it was heard of, and its tokens then."""

    def __init__(
        self,
        rate: RateLimit | None,
        table: SharedTable,
        monotonic_clock: Callable[[], float] = monotonic,
    ) -> None:
        self._rate = rate
        self._table = table
        self._clock = monotonic_clock

    def take(self, address: str) -> int:
        """As RateLimiter has it."""
        if self._rate is None:
            return 0
        with self._table.hold(address):
            now = self._clock()
            bucket = self._table.find(address)
            since, tokens = bucket if bucket[0] else (now, float(self._rate.burst))
            left, wait = _take(self._rate, tokens, now - since)
            bucket[0], bucket[1] = now, left
        return wait


def _take(rate: RateLimit, tokens: float, seconds: float) -> tuple[float, int]:
    """What is left of so many tokens, so many seconds later, and the wait for one where there was none."""
    tokens = min(rate.burst, tokens + seconds * rate.per_second)
    is_passed = tokens >= 1
    return tokens - is_passed, 0 if is_passed else ceil((1 - tokens) / rate.per_second)
