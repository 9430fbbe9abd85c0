"""How long to wait before a part starts again: soon after a first fault, later when it comes again."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
RUNS_WELL_AFTER = 300.0
"""Seconds. A part that ran so long before it ended starts again after the first pause."""


@dataclass
class Restarts:
    """The restarts of one part."""

    _pause: float = 0.0

    def pause_after(self, ran: float) -> float:
        """Seconds to wait, now that it has ended after so many seconds."""
        grown = min(self._pause * 2, LONGEST_PAUSE)
        self._pause = FIRST_PAUSE if ran >= RUNS_WELL_AFTER or not grown else grown
        return self._pause
