"""The write queue: what a worker has for the writer, and who waits for the result.

A message is plain data, a hit or a chat action, and is kept as the bytes that travel to the writer. Hits and
actions keep their order each, and have a number in it, by which their results come. All of it happens on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from time import monotonic
from typing import Any, overload

from msgspec import Struct

from collector.writing.codec import encode
from core.faults import place_fault
from core.reasons import Reason, Refused
from core.visits.hit import Accepted, Hit

MOST_HITS = 20_000
"""Hits that may wait: about two seconds of a saturated collector. The next one is answered 503."""

MOST_ACTIONS = 2_000
"""Chat actions that may wait; the next one is answered 503."""

MOST_SENT_HITS = 4_000
"""Hits that the writer has of one worker: a batch that it commits, and one that waits there. The rest waits here,
so that an action is never behind all of them."""

MOST_SENT_ACTIONS = 200
"""Chat actions that the writer has of one worker: two batches as well."""

SENT_EVERY = 64
"""Messages that are sent without waiting for the end of a turn of the event loop. A turn reads what every connection
has sent: with 400 of them, worker and writer waited for each other instead of working side by side."""

ANSWER_WITHIN = 5.0
"""Seconds: what is not committed by then is answered 503, and its retry counts once."""

_log = logging.getLogger("collector.queue")


class Waiting(Struct, gc=False):
    """A message; `done`, which takes its result, once; and since when it waits. is_done: it has been called."""

    message: bytes
    done: Callable[[Any], None]
    since: float
    is_done: bool = False


class Lane:
    """The messages of one kind, the oldest first. most_sent: how many of them the writer may have in hand."""

    def __init__(self, most_sent: int) -> None:
        self._most_sent = most_sent
        self._unsent: deque[Waiting] = deque()
        self._sent: dict[int, Waiting] = {}
        self._held: dict[int, Waiting] = {}
        """Those that the writer has put aside, because somebody else writes their site for long."""
        self._number = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def put(self, waiting: Waiting) -> None:
        """Add a message at the end."""
        self._unsent.append(waiting)
        self._size += 1

    @property
    def unsent(self) -> int:
        """Messages that the writer has not been sent."""
        return len(self._unsent)

    def take(self) -> Sequence[bytes]:
        """What may be sent now, and counts as sent: the writer numbers the messages in the same way."""
        size = min(len(self._unsent), self._most_sent - len(self._sent))
        taken = [self._unsent.popleft() for _ in range(size)]
        self._sent.update(enumerate(taken, self._number + 1))
        self._number += len(taken)
        return [waiting.message for waiting in taken]

    def end(self, numbers: Sequence[int]) -> Sequence[Waiting]:
        """Those of these numbers; they wait no more."""
        sent, held = self._sent, self._held
        self._size -= len(numbers)
        return [sent.pop(number, None) or held.pop(number) for number in numbers]

    def hold(self, numbers: Sequence[int]) -> None:
        """The writer has put these aside: others may be sent meanwhile."""
        self._held.update({number: self._sent.pop(number) for number in numbers})

    def end_sent(self) -> Sequence[Waiting]:
        """All that were sent; they wait no more, and a new writer numbers from the beginning."""
        ended = [*self._held.values(), *self._sent.values()]
        self._held.clear()
        self._sent.clear()
        self._size = len(self._unsent)
        self._number = 0
        return ended

    @property
    def oldest(self) -> float | None:
        """Since when the oldest one waits for its result; None: none does."""
        for waiting in self._in_order():
            if not waiting.is_done:
                return waiting.since
        return None

    def overdue(self, latest: float) -> Iterator[Waiting]:
        """Those that were put before this moment, sent or not."""
        for waiting in self._in_order():
            if waiting.since > latest:
                break
            yield waiting

    def _in_order(self) -> Iterator[Waiting]:
        if self._held:
            sent = sorted((self._held | self._sent).items())
            return chain((waiting for _, waiting in sent), self._unsent)
        return chain(self._sent.values(), self._unsent)


class WriteQueue:
    """Two lanes, so that neither kind waits for all of the other.

    send_soon: is called when there is something to send, and nothing was before. send_now: when so much has come
    since that it is not to wait.
    """

    def __init__(self) -> None:
        self.hits = Lane(MOST_SENT_HITS)
        self.actions = Lane(MOST_SENT_ACTIONS)
        self.send_soon: Callable[[], None] = lambda: None
        self.send_now: Callable[[], None] = lambda: None
        self._has_unsent = False
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
        lane.put(Waiting(encode(message), done, monotonic()))
        if not self._has_unsent:
            self._has_unsent = True
            self.send_soon()
        elif lane.unsent % SENT_EVERY == 0:
            self.send_now()

    @property
    def depth(self) -> int:
        """Hits that wait for their results."""
        return len(self.hits)

    @property
    def longest_wait(self) -> float:
        """For how many seconds the oldest message has waited for its result."""
        since = [lane.oldest for lane in (self.hits, self.actions) if lane.oldest is not None]
        return monotonic() - min(since) if since else 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits for a result."""
        return not self.hits and not self.actions

    def take(self) -> tuple[Sequence[bytes], Sequence[bytes]]:
        """The hits and the actions that are to be sent now; more may be once results have come."""
        self._has_unsent = False
        return self.hits.take(), self.actions.take()

    def close(self) -> None:
        """Refuse what comes from now on; what waits is still committed."""
        self._is_closed = True

    def refuse_sent(self) -> None:
        """The writer has ended, maybe before it has committed what it had: each comes again, and counts once."""
        for waiting in (*self.hits.end_sent(), *self.actions.end_sent()):
            _give(waiting, Refused(Reason.NOT_COMMITTED))

    async def answer_overdue(self) -> None:
        """Refuse what has waited longer than ANSWER_WITHIN, until cancelled."""
        while True:
            await asyncio.sleep(ANSWER_WITHIN / 10)
            latest = monotonic() - ANSWER_WITHIN
            for waiting in [*self.hits.overdue(latest), *self.actions.overdue(latest)]:
                _give(waiting, Refused(Reason.NOT_COMMITTED))


def give(waiting: Iterable[Waiting], results: Iterable[Struct]) -> None:
    """Hand each result to who waits for it."""
    for each, result in zip(waiting, results, strict=True):
        _give(each, result)


def _give(waiting: Waiting, result: Struct) -> None:
    """What fails with one result costs neither the others nor the link to the writer: it is not made again while that lives."""
    if waiting.is_done:
        return
    waiting.is_done = True
    try:
        waiting.done(result)
    except Exception as fault:
        _log.error("result_not_taken fault=%s at=%s", type(fault).__name__, place_fault(fault))


def _resolve(future: asyncio.Future[Any], result: Struct) -> None:
    if not future.done():  # nor cancelled
        future.set_result(result)
