"""The visits that a writer keeps in memory, because it has stored them and knows that nobody else has changed them.

By the row of `visit_edit` of a site, read under the lock of all writers, it knows whether that is so: see
core/visits/visit_edits.py. Whatever undoes a transaction, or leaves open whether it was committed, empties the memory.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager

from msgspec import Struct

from collector.writing.statements import SiteEdits
from core.moment import milliseconds
from core.random_id import random_id
from core.visits.labels import MINUTE
from core.visits.liveness import visit_goes_on
from core.visits.tracked_visit import TrackedVisit

MOST_VISITS = 50_000
"""Visits that are kept; above it the oldest of the site that has most of them go."""

_LOOK_EVERY = milliseconds(MINUTE)
"""Milliseconds between two looks for visits that are over: nothing comes from them any more."""


class _OfSite(Struct):
    batch: int
    visits: dict[str, TrackedVisit] = {}
    """By id, the one that was touched last at the end."""


class VisitCache:
    """What one writer keeps, from one batch to the next."""

    def __init__(self, most: int = MOST_VISITS) -> None:
        self.writer = random_id()
        self._most = most
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
            site.visits.pop(visit_id, None)

    def find(self, site_id: int, visit_id: str) -> TrackedVisit | None:
        """The visit; None: it has to be looked for in the database."""
        site = self._sites.get(site_id)
        return None if site is None else site.visits.get(visit_id)

    def keep(self, site_id: int, batch: int, visits: Iterable[TrackedVisit]) -> None:
        """Keep visits that this batch has stored or loaded, besides those that are kept already."""
        site = self._sites.setdefault(site_id, _OfSite(batch))
        site.batch = batch
        for visit in visits:
            site.visits.pop(visit.id, None)
            site.visits[visit.id] = visit

    def forget_some(self, now: int) -> None:
        """Forget visits that are over, and those that are too many."""
        if abs(now - self._looked_at) >= _LOOK_EVERY:
            self._looked_at = now
            for site in self._sites.values():
                _forget_over(site.visits, now)
        while (too_many := self.size - self._most) > 0:
            largest = max(self._sites.values(), key=lambda site: len(site.visits))
            for visit_id in list(largest.visits)[: max(too_many, len(largest.visits) // 100)]:
                del largest.visits[visit_id]


def _forget_over(visits: dict[str, TrackedVisit], now: int) -> None:
    over = [id for id, visit in visits.items() if not visit_goes_on(visit.last_activity_at, now)]
    for visit_id in over:
        del visits[visit_id]
