"""Whether commits work: the writer's own word, by which the collector says whether it is ready."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from msgspec import Struct

from collector.metrics import Gauge
from core.disk_fault import DiskFault, find_disk_fault

NO_ANSWER = DiskFault(
    "does not take a write",
    "The database takes no writes: see the collector's log for database_fails.",
)
"""Of a fault that is none of the disk's."""


class Failing(Struct, frozen=True, array_like=True):
    """Commits fail: why, and since when by the clock that never jumps."""

    why: DiskFault
    since: float

    @property
    def seconds(self) -> float:
        """For how many seconds."""
        return monotonic() - self.since


class CommitState:
    """The writer's side. note_moment: notes when it has begun something, 0 while it waits, and when it has been seen."""

    def __init__(self, file: Path | None, note_moment: Callable[[Gauge, float], None]) -> None:
        self._file = file
        self._note_moment = note_moment
        self.failing: Failing | None = None
        self.tell: Callable[[Failing | None], None] = lambda _: None
        """Is called when commits begin to fail, otherwise than before, or work again."""

    def begin(self) -> None:
        """A transaction, or the chores between two, have begun."""
        self._note_moment(Gauge.BEGAN, monotonic())

    def end(self) -> None:
        """It has ended, whatever came of it."""
        self._note_moment(Gauge.SEEN, monotonic())
        self._note_moment(Gauge.BEGAN, 0.0)

    def note(self, fault: Exception | None) -> DiskFault | None:
        """Note that a commit worked, or failed by this fault of the database; what is known of it."""
        found = find_disk_fault(fault, self._file) if fault else None
        failing = None
        if fault is not None:
            since = self.failing.since if self.failing else monotonic()
            failing = Failing(found or NO_ANSWER, since)
        if failing != self.failing:
            self.failing = failing
            self.tell(failing)
        return found


class WriterState:
    """What a worker knows of the writer. moment: what it has noted last.

    is_linked: whether it is there at all. failing: as it has said last.
    """

    def __init__(self, moment: Callable[[Gauge], float]) -> None:
        self._moment = moment
        self.is_linked = False
        self.failing: Failing | None = None

    @property
    def lasts(self) -> float:
        """For how many seconds the writer has been at what it does; while it waits, a second or less."""
        since = self._moment(Gauge.BEGAN) or self._moment(Gauge.SEEN)
        return monotonic() - since if since else 0.0
