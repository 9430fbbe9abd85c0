"""Whether the collector is ready: what is sent to it is committed, and soon."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from time import monotonic
from typing import NamedTuple

from sqlalchemy import Engine

from collector.writing.commit_state import NO_ANSWER, WriterState
from collector.writing.write_queue import ANSWER_WITHIN, WriteQueue
from core.database import database_version, reading, sqlite_file
from core.database_threads import DatabaseThreads
from core.disk_fault import find_disk_fault
from core.schema import touch_schema

READY_WITHIN = 5.0
"""Seconds in which the database must have taken a write."""

READY_FOR = 1.0
"""Seconds for which what was found counts: the route is public, and each look costs a write."""

STUCK_AFTER = 0.8 * ANSWER_WITHIN
"""Seconds that a beacon waits for its commit: a little more, and it is refused."""

_log = logging.getLogger("collector.health")


class Ready(NamedTuple):
    """database: its name and version, or what is wrong, for everybody. reason: that with the cure, "" while ready."""

    is_ready: bool
    database: str
    reason: str = ""


class Readiness:
    """Asks the writer first, then writes itself: a row that only changes fits where no beacon does."""

    def __init__(self, engine: Engine, state: WriterState, queue: WriteQueue) -> None:
        self._engine = engine
        self._state = state
        self._queue = queue
        self._file = sqlite_file(str(engine.url))
        self._threads = DatabaseThreads()  # its own: what takes no write may yet be read
        self._lock = asyncio.Lock()
        self._known = -READY_FOR, Ready(False, "")

    async def look(self) -> Ready:
        """Whether it is ready now; found at most READY_FOR seconds ago."""
        async with self._lock:
            if monotonic() - self._known[0] >= READY_FOR:
                found = self._ask_writer() or await self._try_write()
                self._known = monotonic(), found
        return self._known[1]

    def _ask_writer(self) -> Ready | None:
        """What keeps it from committing; None: nothing that it knows of."""
        if not self._state.is_linked:
            return Ready(
                False, "has no writer", "The process that writes has ended, and is started again."
            )
        if failing := self._state.failing:
            since = f"No commit has worked for {failing.seconds:.0f} s."
            return Ready(False, failing.why.short, f"{failing.why.line} {since}")
        waits = max(self._state.lasts, self._queue.longest_wait)
        if waits < STUCK_AFTER:
            return None
        return Ready(
            False,
            "does not answer",
            f"A commit has waited for the database for {waits:.0f} s: see that its server runs and its "
            "disk answers, and what else keeps it locked or busy.",
        )

    async def _try_write(self) -> Ready:
        try:
            async with asyncio.timeout(READY_WITHIN):
                return Ready(True, await self._threads.run(partial(_write, self._engine)))
        except TimeoutError:
            said = f"did not take a write within {READY_WITHIN:.0f} seconds"
            return Ready(False, said, f"The database {said}: see what keeps it locked or busy.")
        except Exception as fault:
            found = find_disk_fault(fault, self._file) or NO_ANSWER
            _log.warning("not_ready fault=%s", type(fault).__name__)
            return Ready(False, found.short, found.line)


def _write(engine: Engine) -> str:
    """The database's name and version, once it has taken a write."""
    touch_schema(engine)
    with reading(engine) as db:
        return database_version(db)
