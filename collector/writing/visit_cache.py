"""The visits that a writer keeps in memory, because it has stored them and knows that nobody else has changed them.

By the row of `visit_edit` of a site, read under the lock of all writers, it knows whether that is so: see
core/visits/visit_edits.py. Whatever undoes a transaction, or leaves open whether it was committed, empties the memory.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from itertools import islice
from sys import getsizeof

from collector.writing.statements import SiteEdits
from core.moment import milliseconds
from core.random_id import random_id
from core.visits.labels import MINUTE
from core.visits.liveness import visit_goes_on
from core.visits.tracked_visit import TrackedVisit

MOST_VISITS = 50_000
"""Visits that are kept; above it the oldest of the largest site go."""

MOST_BYTES = 100_000_000
"""Of memory that they take, by what is estimated of each: 2.4 kB of one with three tabs, so some 40,000 of those. One
whose tabs all have the longest paths takes 100 kB."""

_LOOK_EVERY = milliseconds(MINUTE)
"""Milliseconds between two looks for visits that are over: nothing comes from them any more."""

_VISIT_BYTES = 1_500
"""Of a visit without the texts of its tabs, measured."""


class _OfSite:
    """The visits of one site, with their bytes, by id; the one that was touched last at the end."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.bytes = 0
        self.visits: dict[str, tuple[TrackedVisit, int]] = {}

    def keep(self, visit: TrackedVisit) -> None:
        size = _bytes_of(visit)
        before = self.visits.pop(visit.id, None)
        self.visits[visit.id] = visit, size
        self.bytes += size - before[1] if before else size

    def drop(self, visit_id: str) -> None:
        if found := self.visits.pop(visit_id, None):
            self.bytes -= found[1]


class VisitCache:
    """What one writer keeps, from one batch to the next."""

    def __init__(self, most: int = MOST_VISITS, most_bytes: int = MOST_BYTES) -> None:
        self.writer = random_id()
        self._most = most
        self._most_bytes = most_bytes
        self._sites: dict[int, _OfSite] = {}
        self._looked_at = 0

    @property
    def size(self) -> int:
        """How many visits are kept."""
        return sum(len(site.visits) for site in self._sites.values())

    @contextmanager
    def lent(self) -> Generator[None]:
        """Around a transaction that changes these visits: all are forgotten unless it is known to be committed."""
        try:
            yield
        except BaseException:
            self._sites.clear()
            raise

    def trust(self, site_id: int, edits: SiteEdits) -> None:
        """Forget what others have changed of the site."""
        site = self._sites.get(site_id)
        if site is None:
            return
        if not edits.is_kept or (edits.writer, edits.batch) != (self.writer, site.batch):
            del self._sites[site_id]
            return
        for visit_id in edits.edited.split():
            site.drop(visit_id)

    def find(self, site_id: int, visit_id: str) -> TrackedVisit | None:
        """The visit; None: it has to be looked for in the database."""
        site = self._sites.get(site_id)
        found = site.visits.get(visit_id) if site else None
        return found[0] if found else None

    def keep(self, site_id: int, batch: int, visits: Iterable[TrackedVisit]) -> None:
        """Keep visits that this batch has stored, besides those that are kept already."""
        site = self._sites.setdefault(site_id, _OfSite(batch))
        site.batch = batch
        for visit in visits:
            site.keep(visit)

    def forget_some(self, now: int) -> None:
        """Forget visits that are over, and the oldest where there are too many."""
        if abs(now - self._looked_at) >= _LOOK_EVERY:
            self._looked_at = now
            for site in self._sites.values():
                _forget_over(site, now)
        while self._is_full():
            largest = max(self._sites.values(), key=lambda site: site.bytes)
            for visit_id in list(islice(largest.visits, 1 + len(largest.visits) // 100)):
                largest.drop(visit_id)

    def _is_full(self) -> bool:
        used = sum(site.bytes for site in self._sites.values())
        return self.size > self._most or used > self._most_bytes


def _forget_over(site: _OfSite, now: int) -> None:
    kept = [visit for visit, _ in site.visits.values()]
    for visit in kept:
        if not visit_goes_on(visit.last_activity_at, now):
            site.drop(visit.id)


def _bytes_of(visit: TrackedVisit) -> int:
    """As text and as what is read from it."""
    _, seldom = visit.stored
    return _VISIT_BYTES + 2 * (getsizeof(visit.stored_memory) + getsizeof(seldom[-1]))
