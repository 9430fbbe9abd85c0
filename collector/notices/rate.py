"""How much goes to one address: nobody reads more, and its server would refuse it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.tables import Notice

MOST_SENT = 20
"""Texts to one address within SENT_WITHIN (own)."""

SENT_WITHIN = timedelta(minutes=10)


class AddressRate:
    """When texts went to one address. It is forgotten with the process."""

    def __init__(self) -> None:
        self._sent: list[datetime] = []

    def note(self, now: datetime) -> None:
        """A text goes there now."""
        self._sent.append(now)

    def texts(self, notices: Sequence[Notice], now: datetime) -> list[Sequence[Notice]]:
        """What goes there now: each notice by itself; where that is too much, the last text is one for all others.

        Empty once nothing more may go there: it waits.
        """
        # What went there "later" went before the clock was set back: it holds up nothing.
        self._sent = [at for at in self._sent if now - SENT_WITHIN < at <= now]
        free = MOST_SENT - len(self._sent)
        if len(notices) <= free:
            return [[notice] for notice in notices]
        return [*([notice] for notice in notices[: free - 1]), notices[free - 1 :]] if free else []
