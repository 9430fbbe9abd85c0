"""The writer: commits hits, chat actions and chores in turn (group commit), for all workers of a collector."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from time import monotonic

from msgspec import Struct
from sqlalchemy import Engine

from collector.metrics import Metrics
from collector.writing.action_batch import Perform, commit_actions
from collector.writing.commit_state import CommitState
from collector.writing.counters import Counters, write_counts
from collector.writing.faults import is_of_the_database, name_fault
from collector.writing.hit_batch import commit_hits
from collector.writing.housekeeping import Housekeeping
from collector.writing.inbox import Inbox, Sent
from collector.writing.site_turns import SiteTurns
from collector.writing.statements import Statements
from collector.writing.trial import TRY_EVERY, try_to_write
from collector.writing.visit_cache import VisitCache
from collector.writing.visit_limit import VisitLimit
from collector.writing.write_load import WriteLoad
from core.database import mark_damage, writing
from core.faults import place_fault
from core.reasons import Reason, Refused
from core.visits.hit import Hit

MOST_HITS_AT_ONCE = 2_000
"""Hits in one transaction: above this a larger batch is no faster."""

MOST_ACTIONS_AT_ONCE = 100
"""Chat actions in one transaction, if there is time for so many (`action_batch`), while hits wait."""

COUNT_EVERY = 1.0
"""Seconds between two writes of the counters."""

_log = logging.getLogger("collector.writer")


class Writer:
    """Takes from the inbox and gives each result back to the worker that waits for it."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
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
        self._inbox = inbox
        self._perform = perform
        self._statements = Statements(engine)
        self._visits = VisitCache()
        self._counters = counters
        self._metrics = metrics
        self._load = load
        self._state = state
        self._housekeeping = housekeeping
        self._visit_limit = visit_limit
        self._clock = clock
        self._hit_turns, self._action_turns = SiteTurns(), SiteTurns()
        self._counted_at = 0.0
        self._tried_at = 0.0
        self._fault = ""

    def run(self) -> None:
        """Commit until the word to stop has come, and all that has arrived is committed."""
        inbox = self._inbox
        self._state.begin()
        while not inbox.is_over:
            inbox.read(min(COUNT_EVERY, self._housekeeping.due_in, self._turns_due_in))
            while not inbox.is_empty or not self._turns_due_in:
                self._state.begin()
                self._commit_hits()
                self._commit_actions()
                self._do_chores()
                self._state.end()
                inbox.read()
            self._state.begin()
            self._do_chores()
            self._state.end()
        self._write_last_counts()

    @property
    def _turns_due_in(self) -> float:
        return min(self._hit_turns.due_in, self._action_turns.due_in)

    def _commit_hits(self) -> None:
        turns, inbox = self._hit_turns, self._inbox
        for turn in turns.turns(inbox.take_hits(MOST_HITS_AT_ONCE), MOST_HITS_AT_ONCE):
            began = monotonic()
            results = self._commit([sent.message for sent in turn.batch], turn.within)
            seconds = monotonic() - began
            batch, given = turns.settle(turn, results)
            self._metrics.committed(len(batch), seconds)
            self._load.committed(seconds)
            inbox.hold_hits(turns.take_held())  # before a result can follow
            inbox.give_hits(batch, given)
        inbox.hold_hits(turns.take_held())
        overdue = turns.take_overdue()
        inbox.give_hits(overdue, _refused(overdue))

    def _commit_actions(self) -> None:
        turns, inbox = self._action_turns, self._inbox
        for turn in turns.turns(inbox.take_actions(MOST_ACTIONS_AT_ONCE), MOST_ACTIONS_AT_ONCE):
            actions = [sent.message for sent in turn.batch]
            began = monotonic()
            results = commit_actions(self._engine, self._perform, actions, self._note, turn.within)
            self._load.committed(monotonic() - began)
            batch, given = turns.settle(turn, results)
            inbox.hold_actions(turns.take_held())  # before a result can follow
            inbox.give_actions(batch, given)
        inbox.hold_actions(turns.take_held())
        overdue = turns.take_overdue()
        inbox.give_actions(overdue, _refused(overdue))

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
        results = commit_hits(self._engine, self._statements, self._visits, hits, allowance, within)
        allowance.keep()
        return results

    def _do_chores(self) -> None:
        """Counters and housekeeping; what fails is tried again later, and never ends the writer."""
        try:
            if monotonic() - self._counted_at >= COUNT_EVERY:
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
            self._counters.add(left)
        except Exception as fault:
            if is_of_the_database(fault):
                self._counters.add(counts)
            raise

    def _write_last_counts(self) -> None:
        try:
            self._write_counts()
        except Exception as fault:
            self._note(fault)

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


def _refused(overdue: Sequence[Sent]) -> Sequence[Refused]:
    """What has waited for a busy site for too long comes again, and counts once."""
    return [Refused(Reason.NOT_COMMITTED)] * len(overdue)
