"""Whether commits work: the writer's own word, by which the collector says whether it is ready."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from msgspec import Struct

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
    """The writer's side. begins: notes the moment at which it begins something, 0 while it waits."""

    def __init__(self, file: Path | None, begins: Callable[[float], None]) -> None:
        self._file = file
        self._begins = begins
        self.failing: Failing | None = None
        self.tell: Callable[[Failing | None], None] = lambda _: None
        """Is called when commits begin to fail, otherwise than before, or work again."""

    def begin(self) -> None:
        """A transaction, or the chores between two, have begun."""
        self._begins(monotonic())

    def end(self) -> None:
        """It has ended, whatever came of it."""
        self._begins(0.0)

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
    """What a worker knows of the writer. began: since when it is at what it does, 0 while it waits.

    is_linked: whether it is there at all. failing: as it has said last.
    """

    def __init__(self, began: Callable[[], float]) -> None:
        self._began = began
        self.is_linked = False
        self.failing: Failing | None = None

    @property
    def lasts(self) -> float:
        """For how many seconds the writer has been at what it does; 0 while it waits."""
        began = self._began()
        return monotonic() - began if began else 0.0
