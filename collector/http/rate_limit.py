"""How many requests one address may send: a bucket of tokens each, filled at a steady rate."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from time import monotonic

from core.settings import RateLimit

MAX_BUCKETS = 100_000
"""Addresses with a bucket; the one that has been silent for longest is dropped first."""

FORGOTTEN_AT_ONCE = 2
"""Full buckets that each request drops: more than it can add."""


class RateLimiter:
    """Counts the requests of each address in memory. Without a rate everything passes."""

    def __init__(
        self, rate: RateLimit | None, monotonic_clock: Callable[[], float] = monotonic
    ) -> None:
        self._rate = rate
        self._clock = monotonic_clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, address: str) -> int:
        """0 when the request may pass, else the whole seconds after which the next one may."""
        if self._rate is None:
            return 0
        per_second, burst = self._rate
        now = self._clock()
        # Taken out and put back, so that the first of the dict has been silent for longest.
        tokens, since = self._buckets.pop(address, (float(burst), now))
        tokens = min(burst, tokens + (now - since) * per_second)
        is_passed = tokens >= 1
        self._buckets[address] = (tokens - is_passed, now)
        self._forget(now - burst / per_second)
        return 0 if is_passed else ceil((1 - tokens) / per_second)

    def _forget(self, full_since: float) -> None:
        """Drop those that are full again: an address without a bucket may send as much."""
        for _ in range(FORGOTTEN_AT_ONCE):
            address = next(iter(self._buckets))
            if self._buckets[address][1] > full_since and len(self._buckets) <= MAX_BUCKETS:
                break
            del self._buckets[address]
