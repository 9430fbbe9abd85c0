"""What was deleted is given back to the disk, in bites with pauses."""

from __future__ import annotations

from time import monotonic

from sqlalchemy import Engine

from collector.writing.bite_pace import BitePace
from collector.writing.write_load import WriteLoad
from core.freed_space import GIVEN_BACK_FROM, KEPT_FREE, can_give_back, give_back, spare_bytes

PAGES_AT_ONCE = 2_000
"""Free pages that one transaction gives back at most: 8 MB."""


class FreeSpace:
    """In the writer; on Postgres, whose autovacuum does this, and in a file that cannot, nothing."""

    def __init__(self, engine: Engine, load: WriteLoad) -> None:
        self._engine = engine
        self._pace = BitePace(load, PAGES_AT_ONCE)
        self._can: bool | None = None
        self._is_giving = False
        self._given = 0

    def give_some(self) -> float | None:
        """Give back one bite: the seconds until the next one, or None when there is nothing to give."""
        if not self._has_more():
            self._is_giving = False
            return None
        began = monotonic()
        self._given += give_back(self._engine, self._pace.size)
        self._is_giving = True
        return self._pace.pause(monotonic() - began)

    def take_given(self) -> int:
        """The bytes that were given back since the last call."""
        given, self._given = self._given, 0
        return given

    def _has_more(self) -> bool:
        if self._can is None or not self._can:
            self._can = can_give_back(self._engine)  # a rewrite of the file may have changed it
        if not self._can:
            return False
        enough = 0 if self._is_giving else GIVEN_BACK_FROM - KEPT_FREE
        return spare_bytes(self._engine) > enough
