"""How many browsers may wait for an invitation with an open call; for any other one, its next beacon brings it."""

from __future__ import annotations

from collector.chat.attendance import Attendance
from collector.http.held_counts import HeldCounts

MOST_LISTENERS = 5_000
"""In all. Each takes some 20 KiB beside its beacons (`benchmarks/listeners.py`): 100 MB, and nearly no time."""

MOST_UNWATCHED = 1_000
"""In all, for a further one of a site that nobody looks at: they are there for the first invitation after somebody
has opened the dashboard, which could else wait for a beacon of up to 20 s."""

MOST_OF_ADDRESS = 100
"""People of an office or of a mobile network share an address; above it they are many, or one who tries."""


_KEEPS_NONE = "Firefox/"
"""Of a browser that does not keep a page for Back which has a call open, or had one when it was left: Back loads it anew
(tried in Firefox 153 with calls that were ended at `beforeunload`, `pagehide` and `navigate`)."""


class ListenerLimit:
    """Counts the listeners. Used on the event loop only."""

    def __init__(self, attendance: Attendance, counts: HeldCounts, room: int) -> None:
        """room: how many there may be in this process."""
        self._attendance = attendance
        self._counts = counts
        self._room = room

    def asks(self, site_id: int, address: str, user_agent: str) -> bool:
        """Whether a browser of this site and address is asked to listen: there is room, and it costs its visitor nothing
        unless somebody looks."""
        if _KEEPS_NONE in user_agent and not self._attendance.is_watched(site_id):
            return False
        return self._counts.has_room(address, MOST_OF_ADDRESS, self._most(site_id))

    def take(self, site_id: int, address: str) -> bool:
        """Whether one more may listen, which counts until `give_back`."""
        return self._counts.take(address, MOST_OF_ADDRESS, self._most(site_id)) is None

    def give_back(self, address: str) -> None:
        """The address has one less."""
        self._counts.give_back(address)

    def _most(self, site_id: int) -> int:
        watched = self._attendance.is_watched(site_id)
        return min(MOST_LISTENERS if watched else MOST_UNWATCHED, self._room)
