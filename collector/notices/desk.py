"""What the couriers of the sender share: the database, the clock, and how they tell what fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, Engine

from core.database import DATABASE_ERRORS, mark_damage, writing
from core.faults import place_fault
from core.moment import from_milliseconds

NOTED_AGAIN_AFTER = 1.0
"""Seconds until what has arrived is noted again, when the database could not."""

Noted = TypeVar("Noted")
_log = logging.getLogger("collector.notices")


class Errand(NamedTuple):
    """What is due to one target: send it, until something does not arrive. target: its id in the log."""

    target: str
    send: Callable[[], None]


class Desk:
    """stop: is set once nothing further is to be sent."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self.engine = engine
        self.stop = Event()
        self._clock = clock
        self._fault = ""

    def now(self) -> datetime:
        """The moment now."""
        return from_milliseconds(self._clock())

    def attempt(self, target: str, send: Callable[[], None]) -> None:
        """Send; what goes wrong with it beyond its own faults is logged, and what is taken is due again later."""
        try:
            send()
        except Exception as fault:
            self.tell_failed(target, fault)

    def tell_failed(self, target: str, fault: Exception) -> None:
        """Log what nobody has foreseen."""
        mark_damage(self.engine, fault)
        name, where = type(fault).__name__, place_fault(fault)
        _log.error("notices_fail address=%s fault=%s at=%s", target, name, where)

    def note(self, write: Callable[[Connection], Noted]) -> Noted | None:
        """What the write returns, however long the database takes; None once it is to stop before."""
        while True:
            try:
                with writing(self.engine) as db:
                    return write(db)
            except DATABASE_ERRORS as error:
                self.note_fault(type(error).__name__)
                if self.stop.wait(NOTED_AGAIN_AFTER):
                    return None

    def note_fault(self, fault: str) -> None:
        """Log when the database begins to fail, and when it is back."""
        if fault != self._fault:
            self._fault = fault
            if fault:
                _log.warning("notices_not_read fault=%s", fault)
            else:
                _log.info("notices_are_read")
