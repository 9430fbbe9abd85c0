"""Finds what somebody wants to hear of, and says whether there is where to send to: addresses, a mail server, or an
answer that has none any more."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from sqlalchemy import Engine

from core.database import reading, writing
from core.mail.deliveries import has_answers_on_their_way
from core.mail.server import has_servers
from core.moment import from_milliseconds
from core.notices.events import find_events
from core.notices.store import forget_notices, store_events
from core.notices.wishes import current_wishes

LOOK_EVERY = 2.0
"""Seconds between two looks at what is wanted, and at what has happened."""

STORED_AT_ONCE = 200
"""New notices that one transaction stores, so that beacons never wait long for it."""

AGAIN_AFTER = 0.25
"""Seconds until the rest of them."""

FORGET_EVERY = 600.0
"""Seconds between two searches for notices that are old."""

FORGET_AT_ONCE = 500
"""Old notices that one transaction deletes."""


class NoticeChore:
    """Of the writer's housekeeping. Without a wish it reads four small tables and no more."""

    def __init__(
        self, engine: Engine, clock: Callable[[], int], tell_addresses: Callable[[bool], None]
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._tell_addresses = tell_addresses
        self._has_addresses: bool | None = None
        self._forgets_at = 0.0

    def do(self) -> float:
        """Store what is new; returns the seconds until the next look."""
        now = from_milliseconds(self._clock())
        with reading(self._engine) as db:
            wishes = current_wishes(db, now)
            events = find_events(db, wishes.by_site, now) if wishes.by_site else []
            has_addresses = (
                bool(wishes.addresses) or has_servers(db) or has_answers_on_their_way(db)
            )
        if events:
            with writing(self._engine) as db:
                store_events(db, events[:STORED_AT_ONCE], wishes, now)
        if self._has_addresses != has_addresses:
            self._has_addresses = has_addresses
            self._tell_addresses(self._has_addresses)
        self._forget()
        return LOOK_EVERY if len(events) <= STORED_AT_ONCE else AGAIN_AFTER

    def _forget(self) -> None:
        if monotonic() < self._forgets_at:
            return
        now, gone = from_milliseconds(self._clock()), 0
        with writing(self._engine) as db:
            gone = forget_notices(db, now, FORGET_AT_ONCE)
        self._forgets_at = monotonic() + (FORGET_EVERY if gone < FORGET_AT_ONCE else 0)
