"""How far a long upgrade is, in the log."""

from __future__ import annotations

import logging
from time import monotonic

TOLD_EVERY = 10.0
"""Seconds between two lines."""

_log = logging.getLogger("core.upgrade")


class ProgressLog:
    """Of so many visits, some were moved before it began."""

    def __init__(self, done: int, total: int) -> None:
        self._before, self._total = done, total
        self._began_at = self._told_at = monotonic()

    def tell(self, done: int) -> None:
        """Write a line when the last one is long ago: so many are moved now."""
        now = monotonic()
        if now < self._told_at + TOLD_EVERY:
            return
        self._told_at = now
        rate = max(done - self._before, 1) / (now - self._began_at)
        left = max(self._total - done, 0) / rate
        _log.info("upgrade_moves_rows visits=%d of=%d seconds_left=%d", done, self._total, left)
