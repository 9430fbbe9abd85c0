"""The results of hits on their way back: a worker gets them once what they tell is on the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import NamedTuple

from msgspec import Struct

from collector.writing.inbox import Inbox, Sent
from collector.writing.log_sync import LogSync
from core.database import DATABASE_ERRORS
from core.reasons import Reason, Refused

WORTH_A_THREAD = 0.5
"""Of the hits of a batch, which wait while its log is to be synced: from then on the next batch is written meanwhile.
With fewer it would be small, and each batch costs as much again as some ten hits."""

_NOT_COMMITTED = Refused(Reason.NOT_COMMITTED)


class Given(NamedTuple):
    """The results of so many hits that were given, and the seconds that it took from the begin of their transaction.

    fault: why they were refused although they were committed, since they may not be on the disk.
    is_committed: whether any were committed.
    """

    hits: int
    seconds: float
    fault: Exception | None
    is_committed: bool


class HitResults:
    """Those of one batch at a time, of which the log is synced aside while there is another batch to write.

    note: is told of each batch, on the thread of the writer.
    """

    def __init__(self, inbox: Inbox, sync: LogSync, note: Callable[[Given], None]) -> None:
        self._inbox = inbox
        self._sync = sync
        self._note = note
        self._thread = ThreadPoolExecutor(1, "log sync")
        self._aside: Future[Given] | None = None

    def give(self, batch: Sequence[Sent], results: Sequence[Struct], began: float) -> None:
        """Give the hits of a transaction, which began at that moment (monotonic), their results: now or,
        where enough others wait, while these are written."""
        self.settle()
        self._inbox.read()
        waiting = len(self._inbox.hits)
        if waiting >= WORTH_A_THREAD * len(batch) and waiting and self._sync.can_run_aside:
            self._aside = self._thread.submit(self._sync_and_give, batch, results, began)
        else:
            self._note(self._sync_and_give(batch, results, began))

    def settle(self) -> None:
        """Return once what is synced aside is given."""
        if self._aside is not None:
            given = self._aside.result()
            self._aside = None
            self._note(given)

    def _sync_and_give(
        self, batch: Sequence[Sent], results: Sequence[Struct], began: float
    ) -> Given:
        is_committed = not results or any(result != _NOT_COMMITTED for result in results)
        fault = self._try_to_sync() if is_committed else None
        self._inbox.give_hits(batch, [_NOT_COMMITTED] * len(batch) if fault else results)
        return Given(len(batch), monotonic() - began, fault, is_committed)

    def _try_to_sync(self) -> Exception | None:
        try:
            self._sync.run()
        except DATABASE_ERRORS as fault:
            return fault
        return None
