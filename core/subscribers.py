"""The open streams of a process: each gets what is published under its key, once and in order.

A subscriber costs a few kilobytes, and no work while nothing is published: one timer gives all heartbeats.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Set
from concurrent.futures import Future
from contextlib import suppress
from random import uniform
from time import monotonic
from typing import Generic, Protocol, TypeVar, TypeVarTuple

HEARTBEAT_EVERY = 15.0
"""Seconds: a stream is never silent for longer."""

POLL_WAITS = 25.0
"""Seconds until a poll without news is answered: less than any proxy's patience."""

SILENT_FOR = POLL_WAITS + HEARTBEAT_EVERY
"""Seconds without a sign after which a client takes its connection for dead: a stream gives one every
HEARTBEAT_EVERY, and a client that polls hears something every POLL_WAITS."""

CALLED_WITHIN = 5.0
"""Seconds in which the event loop must have done what another thread has asked of it."""

CHECK_EVERY = 1.0
"""Seconds between two checks whose heartbeat is due."""


class HasRevision(Protocol):
    """What can be published: it has a place in the order of all changes."""

    @property
    def revision(self) -> int:
        """Grows from change to change (core/chat/store.py, core/site_changes.py)."""
        ...


Key = TypeVar("Key", bound=Hashable)
Update = TypeVar("Update", bound=HasRevision)
Values = TypeVarTuple("Values")


class Subscriber(Generic[Key, Update]):
    """The updates of one stream, to iterate over; None in between when a heartbeat is due."""

    def __init__(
        self, key: Key, most_unread: int, cut_off: Callable[[], None] | None = None
    ) -> None:
        self.key = key
        self.cut_off = cut_off or self.end
        self._most_unread = most_unread
        self._unread: deque[Update] = deque()
        self._revision = 0
        self._is_over = False
        self._wake = asyncio.Event()
        self._beat_at = _next_beat()

    def begin(self, revision: int) -> None:
        """The reader knows everything up to this revision."""
        self._revision = revision

    def push(self, update: Update) -> bool:
        """Hold the update until it is read; False when too much is unread, or the stream is to end.

        A stream that is to end must get nothing more: its client asks for what follows what it has.
        """
        if self._is_over or len(self._unread) >= self._most_unread:
            return False
        self._unread.append(update)
        self._wake.set()
        return True

    def beat(self, now: float) -> None:
        """Wake the reader if its heartbeat is due; one that is still busy needs none."""
        if now >= self._beat_at:
            self._wake.set()

    def end(self) -> None:
        """End the iteration after what is unread."""
        self._is_over = True
        self._wake.set()

    async def first(self) -> Update | None:
        """The next update, for a poll; None when there is none within POLL_WAITS."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_WAITS):
                async for update in self:
                    if update is not None:
                        return update
        return None

    def __aiter__(self) -> Subscriber[Key, Update]:
        return self

    async def __anext__(self) -> Update | None:
        while (update := self._next_unknown()) is None:
            if self._is_over:
                raise StopAsyncIteration
            if monotonic() >= self._beat_at:
                break
            self._wake.clear()
            await self._wake.wait()
        self._beat_at = _next_beat()
        return update

    def _next_unknown(self) -> Update | None:
        while self._unread:
            update = self._unread.popleft()
            if update.revision > self._revision:
                self._revision = update.revision
                return update
        return None


class Subscribers(Generic[Key, Update]):
    """The subscribers by key. Used on the event loop only, but for `call_on_loop`."""

    def __init__(self) -> None:
        self._of: dict[Key, set[Subscriber[Key, Update]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._heartbeats: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    @property
    def keys(self) -> Set[Key]:
        """The keys that anybody has subscribed to."""
        return self._of.keys()

    def start(self, is_fed: Callable[[], bool]) -> None:
        """Begin with the heartbeats, on this loop.

        They say that nothing is missing, so there are none while `is_fed` is false: a client that hears
        nothing for SILENT_FOR comes again.
        """
        self._loop = asyncio.get_running_loop()
        self._heartbeats = self._loop.create_task(self._give_heartbeats(is_fed), name="heartbeats")

    def stop(self) -> None:
        """End the heartbeats."""
        if self._heartbeats is not None:
            self._heartbeats.cancel()

    def call_on_loop(self, function: Callable[[*Values], None], *values: *Values) -> None:
        """Have it called on the loop, and wait for it: for the feed's thread.

        Raises what it raises, and TimeoutError after CALLED_WITHIN. A loop that has ended calls nothing.
        """
        called: Future[None] = Future()

        def call() -> None:
            try:
                called.set_result(function(*values))
            except Exception as fault:
                called.set_exception(fault)

        if self._loop is None or self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(call)
        called.result(CALLED_WITHIN)

    def of(self, key: Key) -> Set[Subscriber[Key, Update]]:
        """Those with this key."""
        return self._of.get(key, set())

    def add(self, subscriber: Subscriber[Key, Update]) -> None:
        """Have it get what is published from now on."""
        self._of.setdefault(subscriber.key, set()).add(subscriber)

    def remove(self, subscriber: Subscriber[Key, Update]) -> None:
        """Forget it, if it has not been cut off already."""
        others = self._of.get(subscriber.key, set())
        others.discard(subscriber)
        if not others:
            self._of.pop(subscriber.key, None)

    def cut_off(self, subscriber: Subscriber[Key, Update]) -> None:
        """Forget it and end its stream: the client comes again and says how far it got."""
        self.remove(subscriber)
        subscriber.cut_off()

    def publish(self, key: Key, update: Update) -> None:
        """Give the update to those with this key; who does not keep up is cut off."""
        for subscriber in [each for each in self.of(key) if not each.push(update)]:
            self.cut_off(subscriber)

    def end(self) -> None:
        """Have every stream end after what is unread."""
        for subscribers in self._of.values():
            for subscriber in subscribers:
                subscriber.end()

    async def _give_heartbeats(self, is_fed: Callable[[], bool]) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY)
            now = monotonic()
            if not is_fed():
                continue
            for subscribers in self._of.values():
                for subscriber in subscribers:
                    subscriber.beat(now)


def _next_beat() -> float:
    """At different moments, so that streams that began together are not all woken together."""
    return monotonic() + HEARTBEAT_EVERY * uniform(0.6, 0.9)
