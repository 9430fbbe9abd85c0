"""The writer: one thread that commits hits, chat actions and chores in turn (group commit)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from threading import Thread
from time import monotonic

from msgspec import Struct
from sqlalchemy import Engine

from collector.metrics import Metrics
from collector.writing.action_batch import Perform, commit_actions
from collector.writing.commit_state import CommitState
from collector.writing.counters import Counters, write_counts
from collector.writing.faults import is_of_the_database, name_fault
from collector.writing.housekeeping import Housekeeping
from collector.writing.site_turns import SiteTurns
from collector.writing.statements import Statements
from collector.writing.trial import TRY_EVERY, try_to_write
from collector.writing.visit_batch import VisitBatch
from collector.writing.visit_limit import VisitLimit
from collector.writing.write_load import WriteLoad
from collector.writing.write_queue import Waiting, WriteQueue, give
from core.database import mark_damage, writing
from core.faults import place_fault
from core.locks import take_sites
from core.reasons import Reason, Refused
from core.sites import has_site
from core.visits.hit import Hit

MOST_HITS_AT_ONCE = 2_000
"""Hits in one transaction: above this a larger batch is no faster."""

MOST_ACTIONS_AT_ONCE = 100
"""Chat actions in one transaction: some 0.1 s, for which hits wait."""

COUNT_EVERY = 1.0
"""Seconds between two writes of the counters."""

_log = logging.getLogger("collector.writer")


class Writer:
    """Takes from the write queue on its own thread, and gives each result on the event loop."""

    def __init__(
        self,
        engine: Engine,
        queue: WriteQueue,
        perform: Perform,
        counters: Counters,
        metrics: Metrics,
        load: WriteLoad,
        state: CommitState,
        housekeeping: Housekeeping,
        visit_limit: VisitLimit,
        clock: Callable[[], int],
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._perform = perform
        self._statements = Statements(engine)
        self._counters = counters
        self._metrics = metrics
        self._load = load
        self._state = state
        self._housekeeping = housekeeping
        self._visit_limit = visit_limit
        self._clock = clock
        self._hit_turns, self._action_turns = SiteTurns(), SiteTurns()
        self._thread = Thread(target=self._run, name="writer", daemon=True)
        self._counted_at = 0.0
        self._tried_at = 0.0
        self._fault = ""

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to commit; results are given on the loop."""
        self._loop = loop
        self._thread.start()
        self._overdue = loop.create_task(self._queue.answer_overdue())

    async def stop(self) -> None:
        """Commit what waits, then end."""
        self._queue.close()
        await asyncio.to_thread(self._thread.join)
        self._overdue.cancel()

    def _run(self) -> None:
        queue = self._queue
        while not (queue.is_closed and queue.is_empty):
            turns_due_in = min(self._hit_turns.due_in, self._action_turns.due_in)
            queue.wait(min(COUNT_EVERY, self._housekeeping.due_in, turns_due_in))
            while not queue.is_empty or self._is_turn_due:
                self._state.begin()
                self._commit_hits()
                self._commit_actions()
                self._do_chores()
                self._state.end()
            self._state.begin()
            self._do_chores()
            self._state.end()
        self._refuse([*self._hit_turns.take_all(), *self._action_turns.take_all()])

    @property
    def _is_turn_due(self) -> bool:
        return not (self._hit_turns.due_in and self._action_turns.due_in)

    def _commit_hits(self) -> None:
        turns = self._hit_turns
        for turn in turns.turns(self._queue.hits.take(MOST_HITS_AT_ONCE), MOST_HITS_AT_ONCE):
            began = monotonic()
            results = self._commit([waiting.message for waiting in turn.batch], turn.within)
            seconds = monotonic() - began
            batch, given = turns.settle(turn, results)
            self._metrics.committed(len(batch), seconds)
            self._load.committed(seconds)
            self._loop.call_soon_threadsafe(give, batch, given)
        self._refuse(turns.take_overdue())

    def _commit_actions(self) -> None:
        turns = self._action_turns
        for turn in turns.turns(
            self._queue.actions.take(MOST_ACTIONS_AT_ONCE), MOST_ACTIONS_AT_ONCE
        ):
            actions = [waiting.message for waiting in turn.batch]
            began = monotonic()
            results = commit_actions(self._engine, self._perform, actions, self._note, turn.within)
            self._load.committed(monotonic() - began)
            batch, given = turns.settle(turn, results)
            for waiting in batch:
                self._metrics.action_committed(monotonic() - waiting.since)
            self._loop.call_soon_threadsafe(give, batch, given)
        self._refuse(turns.take_overdue())

    def _refuse(self, batch: Sequence[Waiting]) -> None:
        """Answer what has waited for a busy site for too long: it comes again, and counts once."""
        if batch:
            refused = [Refused(Reason.NOT_COMMITTED)] * len(batch)
            self._loop.call_soon_threadsafe(give, batch, refused)

    def _commit(self, hits: Sequence[Hit], within: float = 0) -> Sequence[Struct | None]:
        """One result for each hit; None: its site is busy for longer than `within` seconds.

        A hit that fails every transaction is found by halving, and refused.
        """
        try:
            results = self._write(hits, within)
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
            return [*self._commit(hits[:half], within), *self._commit(hits[half:], within)]
        self._note(None)
        return results

    def _write(self, hits: Sequence[Hit], within: float) -> Sequence[Struct | None]:
        allowance = self._visit_limit.allow()
        with writing(self._engine) as connection:
            taken = take_sites(connection, {hit.site_id for hit in hits}, within)
            now = max(hit.received_at for hit in hits)
            kept = {id for id in taken if has_site(connection, id)}
            batch = VisitBatch(self._statements, connection, now, allowance)
            batch.load(hit for hit in hits if hit.site_id in kept)
            results = [
                self._record(batch, hit, kept) if hit.site_id in taken else None for hit in hits
            ]
            batch.store()
        allowance.keep()
        return results

    def _record(self, batch: VisitBatch, hit: Hit, kept: Collection[int]) -> Struct:
        return batch.record(hit) if hit.site_id in kept else Refused(Reason.UNKNOWN_SITE)

    def _do_chores(self) -> None:
        """Counters and housekeeping; what fails is tried again later, and never ends the thread."""
        try:
            if self._queue.is_closed or monotonic() - self._counted_at >= COUNT_EVERY:
                self._counted_at = monotonic()
                self._write_counts()
            self._housekeeping.do_due()
            self._try_again()
        except Exception as fault:
            self._note(fault)

    def _try_again(self) -> None:
        """Nobody may send anything to a collector that is not ready: then only this finds that it is."""
        if self._state.failing is None or monotonic() - self._tried_at < TRY_EVERY:
            return
        self._tried_at = monotonic()
        try_to_write(self._engine)
        self._note(None)

    def _write_counts(self) -> None:
        if self._counters.is_empty():
            return
        counts = self._counters.take()
        try:
            with writing(self._engine) as connection:
                left = write_counts(connection, counts, self._clock())
            self._counters.give_back(left)
        except Exception as fault:
            if is_of_the_database(fault):
                self._counters.give_back(counts)
            raise

    def _note(self, fault: Exception | None) -> None:
        """Log when the database begins to fail, and when it is back: not each time in between."""
        mark_damage(self._engine, fault)
        is_of_it = fault is None or is_of_the_database(fault)
        found = self._state.note(fault) if is_of_it else None
        name = name_fault(fault) if fault else ""
        if name != self._fault:
            self._fault = name
            if found:
                _log.warning("database_fails fault=%s cure='%s'", name, found.line)
            elif name:
                _log.warning("database_fails fault=%s", name)
            else:
                _log.info("database_is_back")
