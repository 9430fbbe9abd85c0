"""How attempts to sign in are slowed: whoever guesses waits, and can lock nobody else out.

Counted is in this process's memory, by what was typed, whether or not there is such an account:

- an address at one account: after a few failures each attempt waits longer, then it is refused for a
  while. An IPv6 address counts by its network of 64 bits.
- an address at all accounts, for whoever tries one password on many. IPv6: its network of 56 bits.
- an account from all addresses: it only waits a little, so that no stranger can keep its owner out.

A browser that has signed in to the account before (device_cookie.py) counts by itself instead.

When more attempts come than can be checked, those of such browsers are the most urgent, then those from
networks where somebody has signed in, then those at accounts at which few have failed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network

from core.client import Client
from pages.sign_in.leaky_buckets import LeakyBuckets

WAITS = (1, 2, 4, 8, 16, 30)
"""Seconds that an attempt waits, from the first above those that are free; above these it is refused."""

ACCOUNT_WAITS = 0.5
"""Seconds that every attempt at an account waits that failed often of late."""

_IPV6_CUSTOMER_BITS = 56


@dataclass(frozen=True)
class Limit:
    """free: failures that cost nothing. drains_every: seconds after which one is forgotten."""

    free: int
    drains_every: float

    @property
    def most(self) -> int:
        """The level from which attempts are refused."""
        return self.free + len(WAITS)


OF_PAIR = Limit(free=4, drains_every=30)
OF_ADDRESS = Limit(free=50, drains_every=10)
OF_ACCOUNT = Limit(free=20, drains_every=30)
_LONGEST_MEMORY = 100
"""No level is higher, so that what was slowed is as before within an hour."""
_DAY = 86_400.0
_SIGN_INS_REMEMBERED = 30
"""A network is known for so many days after as many sign-ins; after a new start nobody is."""


@dataclass(frozen=True)
class AttemptOrigin:
    """Where an attempt comes from. network: all that its sender may have; device: "" if not known."""

    address: str
    network: str
    device: str = ""


@dataclass(frozen=True)
class Attempt:
    """An attempt, counted as failed until `succeed` or `forget`. wait: seconds until it is checked.

    retry_after: not 0 when it is refused instead; it may be made again after so many seconds.
    urgency: higher is checked first.
    """

    origin: AttemptOrigin
    account: str
    wait: float = 0
    retry_after: int = 0
    urgency: tuple[float, ...] = ()


class Attempts:
    """The attempts of late. Times are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._pairs, self._networks, self._accounts = (
            LeakyBuckets(limit.drains_every, _LONGEST_MEMORY)
            for limit in (OF_PAIR, OF_ADDRESS, OF_ACCOUNT)
        )
        self._sign_ins = LeakyBuckets(_DAY, _SIGN_INS_REMEMBERED)

    def begin(self, origin: AttemptOrigin, account: str, now: float) -> Attempt:
        """The attempt at the account of this e-mail address, and how long it waits.

        What is refused is not counted. What runs at the same time is: in parallel nobody guesses faster.
        """
        pair = _pair(origin, account)
        failures = self._pairs.level(pair, now)
        of_network = 0 if origin.device else self._networks.level(origin.network, now)
        retry_after = max(_retry_after(OF_PAIR, failures), _retry_after(OF_ADDRESS, of_network))
        if retry_after:
            return Attempt(origin, account, retry_after=retry_after)
        is_attacked = self._accounts.level(account, now) > OF_ACCOUNT.free
        waits = [_wait(OF_PAIR, failures), _wait(OF_ADDRESS, of_network)]
        if is_attacked and not origin.device:
            waits.append(ACCOUNT_WAITS)
        is_known = self._sign_ins.level(origin.network, now) > 0
        urgency = (bool(origin.device), is_known, not is_attacked, -failures)
        self._pairs.add(pair, now)
        if not origin.device:
            self._networks.add(origin.network, now)
            self._accounts.add(account, now)
        return Attempt(origin, account, max(waits), urgency=urgency)

    def succeed(self, attempt: Attempt, now: float) -> None:
        """The password was right: this sender's failures at this account are forgotten."""
        pair = _pair(attempt.origin, attempt.account)
        self._pairs.take(pair, self._pairs.level(pair, now), now)
        self._take_from_others(attempt, now)
        self._sign_ins.add(attempt.origin.network, now)

    def forget(self, attempt: Attempt, now: float) -> None:
        """The password was not checked."""
        self._pairs.take(_pair(attempt.origin, attempt.account), 1, now)
        self._take_from_others(attempt, now)

    def _take_from_others(self, attempt: Attempt, now: float) -> None:
        if not attempt.origin.device:
            self._networks.take(attempt.origin.network, 1, now)
            self._accounts.take(attempt.account, 1, now)


def origin_of(client: Client, device: str) -> AttemptOrigin:
    """Where the attempts of this client are counted."""
    address = client.address
    network = client.block
    if isinstance(address, IPv6Address):
        network = str(ip_network((address, _IPV6_CUSTOMER_BITS), strict=False))
    return AttemptOrigin(client.block, network, device)


def _pair(origin: AttemptOrigin, account: str) -> str:
    return f"{origin.device or origin.address} {account}"


def _wait(limit: Limit, level: float) -> float:
    above = math.floor(level) - limit.free
    return WAITS[min(above, len(WAITS) - 1)] if above >= 0 else 0


def _retry_after(limit: Limit, level: float) -> int:
    """Whole seconds until the level is low enough."""
    above = level - limit.most
    return math.floor(above * limit.drains_every) + 1 if above >= 0 else 0
