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


class _Written(NamedTuple):
    """The hits of a transaction, which began at that moment (monotonic), and their results."""

    hits: Sequence[Sent]
    results: Sequence[Struct]
    began: float

    @property
    def is_committed(self) -> bool:
        return not self.results or any(result != _NOT_COMMITTED for result in self.results)


class HitResults:
    """Those of one batch at a time, of which the log is synced aside while there is another batch to write.

    note: is told of each batch, on the thread of the writer.
    """

    def __init__(self, inbox: Inbox, sync: LogSync, note: Callable[[Given], None]) -> None:
        self._inbox = inbox
        self._sync = sync
        self._note = note
        self._thread = ThreadPoolExecutor(1, "log sync")
        self._aside: tuple[_Written, Future[Given | None]] | None = None

    def give(self, batch: Sequence[Sent], results: Sequence[Struct], began: float) -> None:
        """Give the hits of a transaction, which began at that moment (monotonic), their results: now or,
        where enough others wait, while these are written."""
        self.settle()
        self._inbox.read()
        written, waiting = _Written(batch, results, began), len(self._inbox.hits)
        is_worth_it = waiting and waiting >= WORTH_A_THREAD * len(batch)
        if is_worth_it and written.is_committed and self._sync.can_run_aside:
            self._aside = written, self._thread.submit(self._give_aside, written)
        else:
            self._give_now(written)

    def settle(self) -> None:
        """Return once what is synced aside is given."""
        if self._aside is None:
            return
        (written, synced), self._aside = self._aside, None
        given = synced.result()
        if given:
            self._note(given)
        else:
            self._give_now(written)  # here, because the log may be emptied on this thread only

    def _give_aside(self, written: _Written) -> Given | None:
        return self._give(written, None) if self._sync.try_once() else None

    def _give_now(self, written: _Written) -> None:
        self._note(self._give(written, self._try_to_sync() if written.is_committed else None))

    def _give(self, written: _Written, fault: Exception | None) -> Given:
        hits, results, began = written
        self._inbox.give_hits(hits, [_NOT_COMMITTED] * len(hits) if fault else results)
        return Given(len(hits), monotonic() - began, fault, written.is_committed)

    def _try_to_sync(self) -> Exception | None:
        try:
            self._sync.run()
        except DATABASE_ERRORS as fault:
            return fault
        return None
