"""How much a chore that deletes does at once, and how long it then pauses: visitors come first."""

from __future__ import annotations

from collector.writing.write_load import WriteLoad

AIMS_AT = 0.04
"""Seconds that a bite may take, since beacons wait for it (own: a commit of theirs takes 5 to 50 ms)."""

SHORTEST_PAUSE = 0.02
"""Seconds, in which what has come meanwhile is committed."""

LONGEST_PAUSE = 2.0
"""Seconds: also while the writer has very much to do, something goes."""

_YIELDS = 5
"""Lengths of a bite that it pauses while the writer is always busy; while it is idle, one (own)."""


class BitePace:
    """Of one chore: it begins with small bites, and finds the size that takes AIMS_AT on this disk.

    From a quarter of `most` to `most` rows: on a busy disk the commit alone takes longer, however small it is.
    """

    def __init__(self, load: WriteLoad, most: int) -> None:
        self._load = load
        self._least = max(most // 4, min(most, 10))
        self._most = most
        self.size = self._least

    def pause(self, seconds: float) -> float:
        """Seconds until the next bite, after one of `size` that took so long; `size` is that of the next."""
        fits = self.size * AIMS_AT / max(seconds, 0.001)
        self.size = max(self._least, min(round(fits), 2 * self.size, self._most))
        wanted = seconds * (1 + _YIELDS * self._load.busy)
        return min(max(wanted, SHORTEST_PAUSE), LONGEST_PAUSE)
