"""The chat's writes, done by the writer's thread between two batches of hits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import Connection, Engine

from collector.metrics import Metrics
from collector.writing.faults import is_of_the_database, name_fault, place_fault
from core.database import lock_visits, writing
from core.reasons import Reason, Refused

MOST_WAITING = 2_000
"""WriteQueue in the queue; the next one is answered 503."""

AT_ONCE = 100
"""WriteQueue in one transaction: some 0.1 s, for which hits wait."""

ANSWER_WITHIN = 5.0
"""Seconds: an order that is not committed by then is answered 503, and its retry counts once."""

Result = TypeVar("Result")
Write = Callable[[Connection], Any]
_log = logging.getLogger("collector.orders")


class _WaitingWrite(Struct):
    order: Write
    future: asyncio.Future[Any]
    since: float


class WriteQueue:
    """Taken on the event loop, run on the writer's thread; `wake` makes it look."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._engine = engine
        self._metrics = metrics
        self._queue: deque[_WaitingWrite] = deque()
        self.wake: Callable[[], None] = lambda: None

    @property
    def depth(self) -> int:
        """WriteQueue that wait."""
        return len(self._queue)

    async def perform(self, order: Callable[[Connection], Result]) -> Result | Refused:
        """What the order returns, once it is committed; Refused when it could not be in time.

        The order runs in a transaction that holds the lock of all writers.
        """
        if len(self._queue) >= MOST_WAITING:
            return Refused(Reason.QUEUE_FULL)
        future: asyncio.Future[Result | Refused] = asyncio.get_running_loop().create_future()
        self._queue.append(_WaitingWrite(order, future, monotonic()))
        self.wake()
        try:
            return await asyncio.wait_for(future, ANSWER_WITHIN)
        except TimeoutError:
            return Refused(Reason.NOT_COMMITTED)

    def run(self) -> None:
        """Commit the oldest write_queue together; on the writer's thread."""
        if not self._queue:
            return
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), AT_ONCE))]
        try:
            with writing(self._engine) as db:
                lock_visits(db)
                results = [_attempt(db, waiting.order) for waiting in batch]
        except Exception as fault:
            _log.warning("chat_orders_not_committed fault=%s", name_fault(fault))
            results = [Refused(Reason.NOT_COMMITTED)] * len(batch)
        for waiting, result in zip(batch, results, strict=True):
            self._metrics.ordered(monotonic() - waiting.since)
            _give(waiting.future, result)


def _attempt(db: Connection, order: Write) -> Any:
    """An order that fails undoes what it wrote, and no other's work."""
    try:
        with db.begin_nested():
            return order(db)
    except Exception as fault:
        if is_of_the_database(fault):
            raise
        _log.error("chat_order_failed fault=%s at=%s", name_fault(fault), place_fault(fault))
        return Refused(Reason.FAULT)


def _give(future: asyncio.Future[Any], result: Any) -> None:
    def give() -> None:
        if not future.done():
            future.set_result(result)

    future.get_loop().call_soon_threadsafe(give)
