"""An answer of the database that all viewers share: however many ask, it is asked for once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from core.accounts.identity import SiteIds
from core.database import Connection
from core.deadline import DatabaseUnavailable, read, read_replica
from core.moment import EPOCH
from core.site_changes import SiteRevisions, site_revisions

SHARED_FOR = timedelta(seconds=1.8)
"""How old what is shared may be: a little less than the pages' shortest refresh, because timers are not exact."""

Value = TypeVar("Value")
WatchedSites = str | SiteIds
"""One site, by its key, or these sites, by their ids; None: all."""


UNUSED_AFTER = 30.0
"""Seconds after which a large answer is forgotten when nobody has asked for it."""


class Shared(Generic[Value]):
    """The newest answer to a question, asked by one viewer for all of them, again after `shared_for`.

    is_large: it is forgotten when nobody asks any more. Any other is kept for a time without the database.
    from_replica: where there is one, it is asked of a replica, but never what is older than was answered before.
    """

    def __init__(
        self,
        question: Callable[[Connection, datetime], Value | None],
        shared_for: timedelta = SHARED_FOR,
        *,
        is_large: bool = False,
        from_replica: bool = False,
    ) -> None:
        self._question = question
        self._shared_for = shared_for
        self._from_replica = from_replica
        self._looked_at = monotonic()
        if is_large:
            _large.add(self)
        self._asking = Lock()
        self._asked_at = EPOCH
        self._began = self._answered = self._cleared = 0.0
        self._answer: Value | None = None
        self._revisions = SiteRevisions({}, {})
        self._fault = ""

    def latest(
        self, now: datetime, revision: int = 0, scope: WatchedSites = None
    ) -> tuple[Value | None, int, str]:
        """The answer at `now`, the revision up to which it has every change, and the fault if it is old.

        scope: of which sites the revisions are.

        A fault is shared too: all who wait for the database get it at once, however long they waited.
        """
        arrived = self._looked_at = monotonic()
        with self._asking:
            now += timedelta(seconds=monotonic() - arrived)
            is_recent = self._is_recent(now) or self._has_answered_since(arrived)
            if not (is_recent and (self._fault or self._reached(scope) >= revision)):
                self._ask(now, revision, scope)
            return self._answer, self._reached(scope), self._fault

    def known(self, now: datetime) -> tuple[Value | None, str, bool]:
        """What was answered last, the fault if it is old, and whether `latest` would ask; it never waits."""
        return self._answer, self._fault, not self._is_recent(now)

    def is_known(self, now: datetime, revision: int, scope: WatchedSites = None) -> bool:
        """Whether `latest` would give an answer without a fault, and without asking or waiting."""
        if not self._asking.acquire(blocking=False):
            return False
        try:
            return self._is_recent(now) and not self._fault and self._reached(scope) >= revision
        finally:
            self._asking.release()

    @property
    def last(self) -> Value | None:
        """What was answered last, if anything; it never waits."""
        return self._answer

    def forget_unused(self) -> bool:
        """Forget the answer if nobody has asked for it for UNUSED_AFTER; whether there was one."""
        if self._answer is None or monotonic() - self._looked_at < UNUSED_AFTER:
            return False
        if not self._asking.acquire(blocking=False):
            return False
        self._answer, self._asked_at, self._revisions = None, EPOCH, SiteRevisions({}, {})
        self._asking.release()
        return True

    def clear(self) -> None:
        """Ask again at the next look; a look that is under way has perhaps missed the change."""
        self._cleared = monotonic()

    def _reached(self, scope: WatchedSites) -> int:
        return _revision_of(self._revisions, scope)

    def _is_recent(self, now: datetime) -> bool:
        return self._began > self._cleared and abs(now - self._asked_at) < self._shared_for

    def _has_answered_since(self, arrived: float) -> bool:
        return self._began > self._cleared and self._answered > arrived

    def _ask(self, now: datetime, revision: int, scope: WatchedSites) -> None:
        """Ask; an answer is as old as the question, a fault counts from when it is known."""
        began = monotonic()
        try:
            self._answer, self._revisions = self._read(now, revision, scope)
            self._fault, self._asked_at = "", now
        except DatabaseUnavailable as error:
            self._fault = str(error)
            self._asked_at = now + timedelta(seconds=monotonic() - began)
        # Last: `known` looks at it without the lock.
        self._began, self._answered = began, monotonic()

    def _read(
        self, now: datetime, revision: int, scope: WatchedSites
    ) -> tuple[Value | None, SiteRevisions]:
        """The answer, and what it has of all sites: at least this revision, and all that it had before."""
        known = self._revisions.of_sites(None)

        def question(db: Connection) -> tuple[Value | None, SiteRevisions]:
            return self._question(db, now), site_revisions(db)

        def is_there(db: Connection) -> bool:
            found = site_revisions(db)
            return found.of_sites(None) >= known and _revision_of(found, scope) >= revision

        return read_replica(question, is_there) if self._from_replica else read(question)


def _revision_of(revisions: SiteRevisions, scope: WatchedSites) -> int:
    return revisions.of_site(scope) if isinstance(scope, str) else revisions.of_sites(scope)


def forget_unused() -> bool:
    """Forget the large answers that nobody asks for any more; whether there was one. It waits for no database."""
    return sum(each.forget_unused() for each in tuple(_large)) > 0


_large: WeakSet[Shared[Any]] = WeakSet()
