"""The write queue: what waits to be committed, and who waits for the result.

A message is plain data, a hit or a chat action: nothing in it belongs to this process. Messages are
put on the event loop and taken on the writer's thread, hits and actions each in their order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Event
from time import monotonic
from typing import Any, overload

from msgspec import Struct

from core.reasons import Reason, Refused
from core.visits.hit import Accepted, Hit

MOST_HITS = 20_000
"""Hits that may wait: about two seconds of a saturated collector. The next one is answered 503."""

MOST_ACTIONS = 2_000
"""Chat actions that may wait; the next one is answered 503."""

ANSWER_WITHIN = 5.0
"""Seconds: what is not committed by then is answered 503, and its retry counts once."""


class Waiting(Struct, gc=False):
    """A message; `done`, which takes its result, once; and since when it waits. is_done: it has been called."""

    message: Any
    done: Callable[[Any], None]
    since: float
    is_done: bool = False


class Lane:
    """The messages of one kind, the oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._taken: Sequence[Waiting] = ()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, waiting: Waiting) -> None:
        """Add a message at the end."""
        self._waiting.append(waiting)

    def take(self, most: int) -> Sequence[Waiting]:
        """The oldest messages, at most so many; they count as waiting for their results."""
        size = min(len(self._waiting), most)
        self._taken = [self._waiting.popleft() for _ in range(size)]
        return self._taken

    @property
    def oldest(self) -> float | None:
        """Since when the oldest one waits for its result; None: none does."""
        for waiting in (*self._taken, *self._waiting):
            if not waiting.is_done:
                return waiting.since
        return None

    def overdue(self, latest: float) -> Iterator[Waiting]:
        """Those that were put before this moment, taken or not."""
        for waiting in (*self._taken, *self._waiting):
            if waiting.since > latest:
                break
            yield waiting


class WriteQueue:
    """Two lanes, so that neither kind waits for all of the other."""

    def __init__(self) -> None:
        self.hits = Lane()
        self.actions = Lane()
        self._has_work = Event()
        self._is_closed = False

    @overload
    async def commit(self, message: Hit) -> Accepted | Refused: ...

    @overload
    async def commit(self, message: Struct) -> Struct: ...

    async def commit(self, message: Struct) -> Struct:
        """What the writer made of the message, once it is committed; Refused when it was not."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.submit(message, partial(_resolve, future))
        return await future

    def submit(self, message: Struct, done: Callable[[Any], None]) -> None:
        """Have `done` called with what `commit` gives, once and on the event loop; maybe before this returns."""
        is_hit = isinstance(message, Hit)
        lane, most = (self.hits, MOST_HITS) if is_hit else (self.actions, MOST_ACTIONS)
        if self._is_closed or len(lane) >= most:
            done(Refused(Reason.QUEUE_FULL))
            return
        lane.put(Waiting(message, done, monotonic()))
        if not self._has_work.is_set():
            self._has_work.set()

    @property
    def depth(self) -> int:
        """Hits that wait."""
        return len(self.hits)

    @property
    def longest_wait(self) -> float:
        """For how many seconds the oldest message has waited for its result; on the event loop."""
        since = [lane.oldest for lane in (self.hits, self.actions) if lane.oldest is not None]
        return monotonic() - min(since) if since else 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self.hits and not self.actions

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is put in."""
        return self._is_closed

    def close(self) -> None:
        """Refuse what comes from now on; what waits is still committed."""
        self._is_closed = True
        self._has_work.set()

    def wait(self, seconds: float) -> None:
        """Wait until something was put in, at most so long; on the writer's thread."""
        self._has_work.wait(seconds)
        self._has_work.clear()

    async def answer_overdue(self) -> None:
        """Refuse what has waited longer than ANSWER_WITHIN, until cancelled."""
        while True:
            await asyncio.sleep(ANSWER_WITHIN / 10)
            latest = monotonic() - ANSWER_WITHIN
            for lane in (self.hits, self.actions):
                for waiting in lane.overdue(latest):
                    _give(waiting, Refused(Reason.NOT_COMMITTED))


def give(batch: Sequence[Waiting], results: Sequence[Struct]) -> None:
    """Hand each result to who waits for it; on the event loop."""
    for waiting, result in zip(batch, results, strict=True):
        _give(waiting, result)


def _give(waiting: Waiting, result: Struct) -> None:
    if not waiting.is_done:
        waiting.is_done = True
        waiting.done(result)


def _resolve(future: asyncio.Future[Any], result: Struct) -> None:
    if not future.done():  # nor cancelled
        future.set_result(result)
