"""A streaming replica of Postgres, and whether a read may go there: docs/postgres.md.

What decides is positions in Postgres' log of changes. A replica is read only once it has got to where the primary
was after the last write of this process, and never while it is more than MOST_BEHIND behind.
"""

from __future__ import annotations

import logging
from collections import deque
from datetime import timedelta
from enum import StrEnum
from time import monotonic
from typing import NamedTuple

from sqlalchemy import Engine, text
from sqlalchemy.exc import NotSupportedError, ProgrammingError

from core.database import DATABASE_ERRORS, reading
from core.database_watch import DatabaseWatch
from core.postgres import open_postgres
from core.schema import SchemaError, check_schema

LOOK_EVERY = 0.25
"""Seconds from one look at both servers to the next, however many reads there are: after a write of an agent
the primary is read for that long at least."""

KNOWN_FOR = 1.5
"""Seconds after which what was seen counts no more: neither server may answer by now."""

MOST_BEHIND = 2.0
"""Seconds that a replica which is read may be behind: as old as a live page may be (`TICK` of the pages)."""

_MOST_MARKS = 10_000
"""Positions that are remembered until the replica has them: of 40 minutes."""

_PRIMARY = text(
    "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS written, "
    "pg_current_wal_flush_lsn() - '0/0'::pg_lsn AS sent, "
    "(SELECT system_identifier FROM pg_control_system()) AS server, current_database() AS name"
)
"""written: also what `synchronous_commit` may leave in memory for a while. sent: what a replica can have."""

_REPLICA = text(
    "SELECT pg_is_in_recovery() AS follows, pg_last_wal_replay_lsn() - '0/0'::pg_lsn AS replayed, "
    "(SELECT system_identifier FROM pg_control_system()) AS server, current_database() AS name"
)
_NOT_ANSWERED = (ProgrammingError, NotSupportedError)
"""What a server says that does not have these functions, or not for this user: nobody knows what it follows."""

_log = logging.getLogger(__name__)


class ReplicaFault(StrEnum):
    """Why a replica is not read at all."""

    AWAY = "replica_away"
    NO_REPLICA = "replica_not_streaming"
    OTHER_SCHEMA = "replica_schema_differs"


class ReplicaState(NamedTuple):
    """How a replica is. behind: for how long it has not had what the primary had; None while it is not known."""

    fault: ReplicaFault | None
    behind: timedelta | None


class _Mark(NamedTuple):
    """A position of the primary, and when it was there at the latest (monotonic)."""

    at: float
    position: int


class _Seen(NamedTuple):
    """What a look has found. at: when it ended. level_at: it has all that was committed before."""

    at: float
    level_at: float
    fault: ReplicaFault | None
    behind: float | None


class Replica:
    """The replica of a primary, both looked at every LOOK_EVERY while anybody reads; it never raises."""

    def __init__(self, primary: Engine, url: str) -> None:
        self.engine = open_postgres(url)
        self._primary = primary
        self._watch = DatabaseWatch(self._look, LOOK_EVERY)
        self._written_at = monotonic()
        self._fence: _Mark | None = None
        self._unreached: deque[_Mark] = deque()
        self._is_sound = False
        self._seen: _Seen | None = None

    @property
    def is_level(self) -> bool:
        """Whether a read may go there: it has all that this process has written, and is hardly behind."""
        seen = self._seen
        if seen is None or not _is_recent(seen) or seen.fault or seen.behind is None:
            return False
        return seen.behind <= MOST_BEHIND and seen.level_at > self._written_at

    @property
    def is_known(self) -> bool:
        """Whether both servers have just answered: who waits for a replica that is not known waits in vain."""
        return _is_recent(self._seen)

    @property
    def state(self) -> ReplicaState | None:
        """How it was at the last look; None before the first one."""
        if self._watch.is_frozen:
            return ReplicaState(ReplicaFault.AWAY, None)
        seen = self._seen
        if seen is None:
            return None
        behind = None if seen.behind is None else timedelta(seconds=seen.behind)
        return ReplicaState(seen.fault, behind)

    def keep(self) -> None:
        """Have it looked at from now on, as long as this is called every few seconds."""
        self._watch.keep()

    def note_write(self) -> None:
        """This process has committed something: it is read from the primary until the replica has it."""
        self._written_at = monotonic()

    def note_failure(self) -> None:
        """A read there has failed: none goes there before the next look."""
        self._seen = None

    def _look(self) -> None:
        """Find where both are. Raises what the primary does: then nothing is known of the replica."""
        began = monotonic()
        try:
            with reading(self._primary) as db:
                primary = db.execute(_PRIMARY).one()
        except _NOT_ANSWERED:
            self._note_fault(ReplicaFault.NO_REPLICA)
            return
        if self._fence is None or self._fence.at <= self._written_at:
            self._fence = _Mark(began, int(primary.written))
        self._remember(_Mark(began, int(primary.sent)))
        found = self._ask((primary.server, primary.name))
        if isinstance(found, ReplicaFault):
            self._note_fault(found)
        else:
            self._note(self._fence, found)

    def _ask(self, database: tuple[int, str]) -> ReplicaFault | int:
        """What is wrong with it, or the position up to which it has everything."""
        try:
            if not self._is_sound:
                check_schema(self.engine)
            with reading(self.engine) as db:
                replica = db.execute(_REPLICA).one()
        except SchemaError:
            return ReplicaFault.OTHER_SCHEMA
        except _NOT_ANSWERED:
            return ReplicaFault.NO_REPLICA
        except DATABASE_ERRORS:
            return ReplicaFault.AWAY
        is_same = (replica.server, replica.name) == database
        if not (replica.follows and is_same) or replica.replayed is None:
            return ReplicaFault.NO_REPLICA
        return int(replica.replayed)

    def _remember(self, mark: _Mark) -> None:
        is_new = not self._unreached or mark.position > self._unreached[-1].position
        if is_new and len(self._unreached) < _MOST_MARKS:
            self._unreached.append(mark)

    def _note(self, fence: _Mark, replayed: int) -> None:
        while self._unreached and self._unreached[0].position <= replayed:
            self._unreached.popleft()
        now = monotonic()
        behind = now - self._unreached[0].at if self._unreached else 0.0
        level_at = fence.at if replayed >= fence.position else 0.0
        if not self._is_sound:
            _log.info("replica_read")
        self._is_sound = True
        self._seen = _Seen(now, level_at, None, behind)

    def _note_fault(self, fault: ReplicaFault) -> None:
        if self._seen is None or self._seen.fault != fault:
            _log.warning("replica_not_read fault=%s cure='see the page Health'", fault)
        self._is_sound = False
        self._unreached.clear()
        self._seen = _Seen(monotonic(), 0.0, fault, None)


def _is_recent(seen: _Seen | None) -> bool:
    return seen is not None and monotonic() - seen.at < KNOWN_FOR
