"""A write for which somebody waits only so long: they never give up what is committed afterwards."""

from __future__ import annotations

from threading import Lock
from time import monotonic


class WriteAttempt:
    """The agreement of the database's thread, which commits, and of the one who waits.

    Whoever comes first decides: once it is given up, nothing is committed, and once the commit has
    begun, it is not given up.
    """

    def __init__(self) -> None:
        self._ends_at = 0.0
        self._is_decided = Lock()
        self.is_committing = False

    def begin(self, within: float) -> None:
        """Work on it for so many seconds from now."""
        self._ends_at = monotonic() + within

    @property
    def remaining(self) -> float:
        """Seconds until its time is over; 0 from then on."""
        return max(self._ends_at - monotonic(), 0)

    def begin_commit(self) -> None:
        """Commit from here on. Raises TimeoutError when it has been given up, or its time is over."""
        if not self.remaining or not self._is_decided.acquire(blocking=False):
            raise TimeoutError
        self.is_committing = True

    def give_up(self) -> bool:
        """Whether nothing will be committed; False when the commit has begun."""
        return self._is_decided.acquire(blocking=False)
