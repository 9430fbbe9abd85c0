"""Counters that need not be durable at once: drops by reason, origins by host, warnings by name.

They are added up in memory: a worker tells the writer about once a second, which writes them as often. A kill
loses no more than that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from threading import Lock
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, update

from core.database import insert_into
from core.locks import TAKE_WITHIN, take_sites
from core.moment import from_milliseconds, milliseconds
from core.reasons import Reason
from core.sites import has_site
from core.tables import CollectorWarning, DropCount, SiteOrigin, Table
from core.visits.arrivals import NO_SITE
from core.visits.presence import COUNT_SLOT

MAX_ORIGINS = 200
"""Hosts that are kept for one site: a list for people to read."""

MAX_HELD = 10_000
"""Different counts that are held while the database is away; further ones are lost."""

_SLOT = milliseconds(COUNT_SLOT)


class Counts(NamedTuple):
    """What was counted in one stretch of time."""

    drops: Counter[tuple[int, int, Reason]]
    origins: Counter[tuple[int, str]]
    warnings: set[str]


class Counters:
    """Counts in memory: of a worker, or in the writer of all workers."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._drops: Counter[tuple[int, int, Reason]] = Counter()
        self._origins: Counter[tuple[int, str]] = Counter()
        self._warnings: set[str] = set()

    def drop(self, site_id: int, reason: Reason, now: int) -> None:
        """Count a beacon that was not stored; site 0: no known site."""
        self._count(self._drops, (site_id, now // _SLOT * _SLOT, reason))

    def origin(self, site_id: int, host: str) -> None:
        """Count a beacon that was accepted from a page of this host."""
        self._count(self._origins, (site_id, host))

    def warn(self, name: str) -> None:
        """Note a fault in the set-up, by its name."""
        with self._lock:
            self._warnings.add(name)

    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self._drops or self._origins or self._warnings)

    def take(self) -> Counts:
        """What has been counted since the last call."""
        with self._lock:
            counts = Counts(self._drops, self._origins, self._warnings)
            self._drops, self._origins, self._warnings = Counter(), Counter(), set()
        return counts

    def add(self, counts: Counts) -> None:
        """Count what another process has counted, or again what could not be written."""
        with self._lock:
            for key, hits in counts.drops.items():
                _add(self._drops, key, hits)
            for key, hits in counts.origins.items():
                _add(self._origins, key, hits)
            self._warnings.update(counts.warnings)

    def _count(self, counter: Counter[Any], key: tuple[Any, ...]) -> None:
        with self._lock:
            _add(counter, key, 1)


def _add(counter: Counter[Any], key: tuple[Any, ...], hits: int) -> None:
    if key in counter or len(counter) < MAX_HELD:
        counter[key] += hits


def write_counts(connection: Connection, counts: Counts, now: int) -> Counts:
    """Add the counts to their rows; those of a site that was deleted meanwhile are left out.

    Returns those of sites that somebody else writes for longer: they are not added.
    """
    counted = {NO_SITE, *(site_id for site_id, *_ in (*counts.drops, *counts.origins))}
    # No site is deleted between the question and the rows.
    taken = take_sites(connection, counted, TAKE_WITHIN)
    counts, left = _split(counts, taken)
    kept = {site_id for site_id in taken if site_id == NO_SITE or has_site(connection, site_id)}
    for (site_id, starts_at, reason), hits in sorted(counts.drops.items()):
        if site_id in kept:
            _add_drops(connection, site_id, starts_at, reason, hits)
    for (site_id, host), hits in sorted(counts.origins.items()):
        if site_id in kept:
            _add_origin(connection, site_id, host, hits, now)
    for name in sorted(counts.warnings):
        _note_warning(connection, name, now)
    return left


def _split(counts: Counts, taken: Collection[int]) -> tuple[Counts, Counts]:
    """The counts of these sites, and those of the others; warnings are of no site."""
    drops, origins = Counter[tuple[int, int, Reason]](), Counter[tuple[int, str]]()
    ours = Counts(drops, origins, counts.warnings if NO_SITE in taken else set())
    others = Counts(Counter(), Counter(), counts.warnings - ours.warnings)
    for key, hits in counts.drops.items():
        (ours if key[0] in taken else others).drops[key] = hits
    for key, hits in counts.origins.items():
        (ours if key[0] in taken else others).origins[key] = hits
    return ours, others


def _add_drops(
    connection: Connection, site_id: int, starts_at: int, reason: str, hits: int
) -> None:
    insert = insert_into(connection, DropCount).values(
        site_id=site_id, starts_at=from_milliseconds(starts_at), reason=reason, hits=hits
    )
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["site_id", "starts_at", "reason"],
            set_={"hits": _column(DropCount, "hits") + insert.excluded.hits},
        )
    )


def _add_origin(connection: Connection, site_id: int, host: str, hits: int, now: int) -> None:
    """A host beyond the site's first MAX_ORIGINS is not kept."""
    seen_at = from_milliseconds(now)
    origin_site, origin_host = _column(SiteOrigin, "site_id"), _column(SiteOrigin, "host")
    known = connection.execute(
        update(SiteOrigin)
        .where(origin_site == site_id, origin_host == host)
        .values(hits=_column(SiteOrigin, "hits") + hits, last_seen_at=seen_at)
    )
    if known.rowcount:
        return
    kept = select(func.count()).select_from(SiteOrigin).where(origin_site == site_id)
    if connection.execute(kept).scalar_one() < MAX_ORIGINS:
        connection.execute(
            insert_into(connection, SiteOrigin)
            .values(
                site_id=site_id, host=host, first_seen_at=seen_at, last_seen_at=seen_at, hits=hits
            )
            .on_conflict_do_nothing()
        )


def _note_warning(connection: Connection, name: str, now: int) -> None:
    seen_at = from_milliseconds(now)
    insert = insert_into(connection, CollectorWarning).values(
        name=name, first_seen_at=seen_at, last_seen_at=seen_at
    )
    connection.execute(
        insert.on_conflict_do_update(index_elements=["name"], set_={"last_seen_at": seen_at})
    )


def _column(table: type[Table], name: str) -> Any:
    return Table.metadata.tables[str(table.__tablename__)].c[name]
