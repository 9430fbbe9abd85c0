"""How many visits one address may open: a bucket of tokens each, filled at a steady rate.

Only the writer knows whether a page view opens a visit, so it asks here. Whoever has a
visit is never refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import ceil
from time import monotonic
from typing import NamedTuple

from core.settings import RateLimit

MAX_BUCKETS = 100_000
"""Blocks of addresses with a bucket; the one that has opened nothing for longest is dropped first."""

WIDE_TIMES = 10
"""How many times what one IPv6 network of 64 bits may open, all those of one customer may together (own: a
customer may have 65,536 of them, RFC 6177, whose buckets alone would be no limit)."""


class Bucket(NamedTuple):
    """A block of addresses, and how many times the rate is theirs."""

    block: str
    times: int


class VisitLimit:
    """The tokens of each bucket, in memory. Without a rate every visit may open."""

    def __init__(
        self, rate: RateLimit | None, monotonic_clock: Callable[[], float] = monotonic
    ) -> None:
        self._rate = rate
        self._clock = monotonic_clock
        self._tokens: dict[Bucket, tuple[float, float]] = {}

    def allow(self) -> VisitAllowance:
        """What one transaction may open; nothing is spent until it keeps what it has taken."""
        return VisitAllowance(self._rate, self._left, self._spend)

    def _left(self, bucket: Bucket, rate: RateLimit) -> float:
        """The tokens that are in the bucket now."""
        now = self._clock()
        burst = float(rate.burst * bucket.times)
        tokens, since = self._tokens.get(bucket, (burst, now))
        return min(burst, tokens + (now - since) * rate.per_second * bucket.times)

    def _spend(self, taken: Counter[Bucket], rate: RateLimit) -> None:
        for bucket, visits in taken.items():
            left = self._left(bucket, rate) - visits
            self._tokens.pop(bucket, None)  # so that the first of the dict was spent longest ago
            self._tokens[bucket] = (left, self._clock())
        self._forget(rate)

    def _forget(self, rate: RateLimit) -> None:
        """Drop those that are full again, as if they had never been, and what is too much."""
        full_since = self._clock() - rate.burst / rate.per_second
        while self._tokens:
            bucket = next(iter(self._tokens))
            if self._tokens[bucket][1] > full_since and len(self._tokens) <= MAX_BUCKETS:
                break
            del self._tokens[bucket]


class VisitAllowance:
    """What one transaction takes: one that is rolled back, or halved, has taken nothing."""

    def __init__(
        self,
        rate: RateLimit | None,
        left: Callable[[Bucket, RateLimit], float],
        spend: Callable[[Counter[Bucket], RateLimit], None],
    ) -> None:
        self._rate = rate
        self._left = left
        self._spend = spend
        self._taken: Counter[Bucket] = Counter()

    def take(self, block: str, wide_block: str) -> int:
        """0 when a client of these blocks may open a visit, else the whole seconds until one may."""
        if self._rate is None:
            return 0
        buckets = _buckets(block, wide_block)
        wait = max(self._wait(bucket, self._rate) for bucket in buckets)
        if wait <= 0:
            self._taken.update(buckets)
        return max(ceil(wait), 0)

    def keep(self) -> None:
        """The transaction is committed: what it has taken is spent."""
        if self._rate is not None:
            self._spend(self._taken, self._rate)

    def _wait(self, bucket: Bucket, rate: RateLimit) -> float:
        """Seconds until the bucket has a token; 0 or less: it has one."""
        missing = 1 - (self._left(bucket, rate) - self._taken[bucket])
        return missing / (rate.per_second * bucket.times)


def _buckets(block: str, wide_block: str) -> Sequence[Bucket]:
    return [Bucket(block, 1), Bucket(wide_block, WIDE_TIMES)] if wide_block else [Bucket(block, 1)]


UNLIMITED = VisitLimit(None).allow()
"""Every visit may open."""
