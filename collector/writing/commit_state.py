"""Whether commits work: the writer's own word, by which the collector says whether it is ready."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import NamedTuple

from core.disk_fault import DiskFault, find_disk_fault

NO_ANSWER = DiskFault(
    "does not take a write",
    "The database takes no writes: see the collector's log for database_fails.",
)
"""Of a fault that is none of the disk's."""


class Failing(NamedTuple):
    """Commits fail: why, and for how many seconds."""

    why: DiskFault
    seconds: float


class CommitState:
    """Noted on the writer's thread; read on the event loop, which sees one whole value or another."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._began: float | None = None
        self._failed: tuple[DiskFault, float] | None = None

    def begin(self) -> None:
        """A transaction, or the chores between two, have begun."""
        self._began = monotonic()

    def end(self) -> None:
        """It has ended, whatever came of it."""
        self._began = None

    def note(self, fault: Exception | None) -> DiskFault | None:
        """Note that a commit worked, or failed by this fault of the database; what is known of it."""
        if fault is None:
            self._failed = None
            return None
        found = find_disk_fault(fault, self._file)
        since = self._failed[1] if self._failed else monotonic()
        self._failed = found or NO_ANSWER, since
        return found

    @property
    def failing(self) -> Failing | None:
        """Why the last commit failed, and since when; None: it worked."""
        failed = self._failed
        return Failing(failed[0], monotonic() - failed[1]) if failed else None

    @property
    def lasts(self) -> float:
        """For how many seconds the writer has been at what it does; 0 while it waits."""
        began = self._began
        return monotonic() - began if began is not None else 0.0
