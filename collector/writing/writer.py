"""Group commit: hits wait in a queue, one thread commits them together, then each is answered.

The same thread commits the chat's write_queue between two batches: one writer, whatever is written.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Thread
from time import monotonic

from msgspec import Struct
from sqlalchemy import Engine

from collector.metrics import Metrics
from collector.writing.counters import Counters, write_counts
from collector.writing.faults import is_of_the_database, name_fault, place_fault
from collector.writing.housekeeping import Housekeeping
from collector.writing.statements import Statements
from collector.writing.visit_batch import VisitBatch
from collector.writing.write_queue import WriteQueue
from core.database import lock_visits, writing
from core.reasons import Reason, Refused
from core.visits.hit import Accepted, Hit

MAX_WAITING = 20_000
"""Hits in the queue; the next one is answered 503: about two seconds of a saturated collector."""

MAX_BATCH = 2_000
"""Hits in one transaction: above this a larger batch is no faster."""

ANSWER_WITHIN = 5.0
"""Seconds: a hit that is not committed by then is answered 503, and its retry counts once."""

COUNT_EVERY = 1.0
"""Seconds between two writes of the counters."""

_log = logging.getLogger("collector.writer")

HitResult = Accepted | Refused


class _WaitingHit(Struct, gc=False):
    hit: Hit
    future: asyncio.Future[HitResult]
    since: float


class Writer:
    """Takes hits on the event loop, commits them on its own thread."""

    def __init__(
        self,
        engine: Engine,
        counters: Counters,
        metrics: Metrics,
        housekeeping: Housekeeping,
        write_queue: WriteQueue,
        clock: Callable[[], int],
    ) -> None:
        self._engine = engine
        self._rows = Statements(engine)
        self._counters = counters
        self._metrics = metrics
        self._housekeeping = housekeeping
        self._write_queue = write_queue
        self._clock = clock
        self._queue: deque[_WaitingHit] = deque()
        self._batch: Sequence[_WaitingHit] = ()
        self._wake = Event()
        write_queue.wake = self._wake.set
        self._is_stopping = False
        self._thread = Thread(target=self._run, name="writer", daemon=True)
        self._counted_at = 0.0
        self._fault = ""

    @property
    def depth(self) -> int:
        """Hits that wait for a transaction."""
        return len(self._queue)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to commit; answers are given on the loop."""
        self._loop = loop
        self._thread.start()
        self._overdue = loop.create_task(self._answer_overdue())

    async def stop(self) -> None:
        """Commit what waits, then end."""
        self._is_stopping = True
        self._wake.set()
        await asyncio.to_thread(self._thread.join)
        self._overdue.cancel()

    async def take(self, hit: Hit) -> HitResult:
        """Accepted once the hit's rows are committed; Refused when nothing changed, or a 503."""
        if len(self._queue) >= MAX_WAITING or self._is_stopping:
            return Refused(Reason.QUEUE_FULL)
        future: asyncio.Future[HitResult] = self._loop.create_future()
        self._queue.append(_WaitingHit(hit, future, monotonic()))
        if not self._wake.is_set():
            self._wake.set()
        return await future

    def _run(self) -> None:
        while not (self._is_stopping and not self._queue and not self._write_queue.depth):
            self._wake.wait(COUNT_EVERY)
            self._wake.clear()
            while self._queue or self._write_queue.depth:
                self._commit_next()
                self._write_queue.run()
                self._do_chores()
            self._do_chores()

    def _commit_next(self) -> None:
        size = min(len(self._queue), MAX_BATCH)
        if not size:
            return
        self._batch = [self._queue.popleft() for _ in range(size)]
        began = monotonic()
        answers = self._commit([waiting.hit for waiting in self._batch])
        self._metrics.committed(size, monotonic() - began)
        self._loop.call_soon_threadsafe(_answer, self._batch, answers)

    def _commit(self, hits: Sequence[Hit]) -> Sequence[HitResult]:
        """One answer a hit. A hit that no transaction bears is found by halving, and dropped."""
        try:
            answers = self._write(hits)
        except Exception as fault:
            if is_of_the_database(fault):
                self._note(fault)
                return [Refused(Reason.NOT_COMMITTED)] * len(hits)
            if len(hits) == 1:
                where = place_fault(fault)
                _log.error(
                    "hit_dropped site_id=%d fault=%s at=%s",
                    hits[0].site_id,
                    name_fault(fault),
                    where,
                )
                return [Refused(Reason.FAULT)]
            half = len(hits) // 2
            return [*self._commit(hits[:half]), *self._commit(hits[half:])]
        self._note(None)
        return answers

    def _write(self, hits: Sequence[Hit]) -> Sequence[HitResult]:
        with writing(self._engine) as connection:
            lock_visits(connection)
            batch = VisitBatch(self._rows, connection, now=max(hit.received_at for hit in hits))
            batch.load(hits)
            answers = [batch.record(hit) for hit in hits]
            batch.store()
        return answers

    def _do_chores(self) -> None:
        """Counters and housekeeping; what fails is tried again later, and never ends the thread."""
        try:
            if self._is_stopping or monotonic() - self._counted_at >= COUNT_EVERY:
                self._counted_at = monotonic()
                self._write_counts()
            self._housekeeping.do_due()
        except Exception as fault:
            self._note(fault)

    def _write_counts(self) -> None:
        if self._counters.is_empty():
            return
        counts = self._counters.take()
        try:
            with writing(self._engine) as connection:
                write_counts(connection, counts, self._clock())
        except Exception as fault:
            if is_of_the_database(fault):
                self._counters.give_back(counts)
            raise

    def _note(self, fault: Exception | None) -> None:
        """Log when the database begins to fail, and when it is back: not each time in between."""
        name = name_fault(fault) if fault else ""
        if name != self._fault:
            self._fault = name
            if name:
                _log.warning("database_fails fault=%s", name)
            else:
                _log.info("database_is_back")

    async def _answer_overdue(self) -> None:
        while True:
            await asyncio.sleep(ANSWER_WITHIN / 10)
            overdue = monotonic() - ANSWER_WITHIN
            for waiting in (*self._batch, *self._queue):
                if waiting.since > overdue:
                    break
                _give(waiting, Refused(Reason.NOT_COMMITTED))


def _answer(batch: Sequence[_WaitingHit], answers: Sequence[HitResult]) -> None:
    for waiting, answer in zip(batch, answers, strict=True):
        _give(waiting, answer)


def _give(waiting: _WaitingHit, answer: HitResult) -> None:
    if not waiting.future.done():
        waiting.future.set_result(answer)
