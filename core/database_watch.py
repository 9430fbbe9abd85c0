"""Whether a database still answers, as found by asking it something small again and again.

A slow question says nothing about the database: it may be a large one. That this one is not answered
does, and who waits for the others is told so once, rather than each after a time of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic, sleep

EVERY = 1.0
"""Seconds from an answer to the next question."""

ANSWERS_WITHIN = 3.0
"""Seconds after which a database that has not answered counts as frozen. With EVERY it is found after four
at the latest, and two are left of the six within which a page says so."""

SEEN_FOR = 0.3
"""Seconds for which it must have been seen that the answer is late: a process that was itself suspended, or kept
from running, sees that first of all, and the answer a moment later."""

RESTS_AFTER = 10.0
"""Seconds after the last call of `keep` when the asking ends, unless the database is frozen then."""


class DatabaseWatch:
    """The watch of one database; `ask` asks it, and raises what goes wrong.

    every: in place of EVERY.
    """

    def __init__(self, ask: Callable[[], None], every: float | None = None) -> None:
        self._ask = ask
        self._every = every
        self._starting = Lock()
        self._is_asking = False
        self._wanted_at = 0.0
        self._asked_at: float | None = None
        self._has_hung = False
        self._late = self._late_at = 0.0

    @property
    def is_frozen(self) -> bool:
        """Whether the database gives no answer, not even that it cannot."""
        asked_at = self._asked_at
        if self._has_hung or asked_at is None or not _is_late(asked_at):
            return self._has_hung
        if self._late != asked_at:
            self._late_at, self._late = monotonic(), asked_at
        return monotonic() - self._late_at >= SEEN_FOR

    def keep(self) -> None:
        """Have it asked from now on, for RESTS_AFTER seconds at least."""
        self._wanted_at = monotonic()
        with self._starting:
            if not self._is_asking:
                self._is_asking = True
                Thread(target=self._run, name="database watch", daemon=True).start()

    def _run(self) -> None:
        while True:
            self._look()
            sleep(EVERY if self._every is None else self._every)
            with self._starting:
                if not (self._has_hung or monotonic() - self._wanted_at < RESTS_AFTER):
                    self._is_asking = False
                    return

    def _look(self) -> None:
        """Ask once. What fails at once is no frozen database: each question is told why by itself."""
        self._asked_at = asked_at = monotonic()
        try:
            self._ask()
        except Exception:
            self._has_hung = _is_late(asked_at)
        else:
            self._has_hung = False
        finally:
            self._asked_at = None


def _is_late(asked_at: float) -> bool:
    return monotonic() - asked_at >= ANSWERS_WITHIN
