"""The visits that began in a period, in parts of which each is read by one statement: from chunks what is in them, and
the others from their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, select, type_coerce
from sqlmodel import col

from core.moment import from_milliseconds, to_milliseconds
from core.rollups.dimensions import began_within
from core.tables import VisitCount
from core.trends.chunk_arrays import AskedVisits, Chunk, find_chunks
from core.trends.counted_days import CountedSite
from core.trends.filters import TrendFilters, are_narrowed, are_wanted
from core.visits.calendar import Period

AT_ONCE = 40_000
"""Visits, about, of a part: some 0.2 s, after which progress is told."""


class VisitPart(NamedTuple):
    """visits: about how many it has, before filters. chunks: where they are; none: they are read from rows. asked: which
    visits of the chunks. wanted: the conditions on `visit`, with the filters'."""

    visits: int
    chunks: Sequence[Chunk] = ()
    asked: AskedVisits | None = None
    wanted: Sequence[ColumnElement[bool]] = ()


def parts_of(
    db: Connection,
    known: CountedSite,
    period: Period,
    filters: TrendFilters,
    *only: ColumnElement[bool],
) -> list[VisitPart]:
    """The visits that began in the period. only: more conditions, which chunks know nothing of."""
    site_id = known.site.id or 0
    if only or known.unchunked is None:
        return [
            VisitPart(number, wanted=(*are_wanted(site_id, part, filters), *only))
            for part, number in stretches(db, site_id, period)
        ]
    parts: list[VisitPart] = []
    if known.oldest_unchunked is not None and known.oldest_unchunked < period.until_at:
        for are_unchunked in known.are_unchunked():
            began = (*are_unchunked, *began_within(period))
            parts.append(VisitPart(AT_ONCE, wanted=are_narrowed(site_id, began, filters)))
    chunks = find_chunks(db, site_id, period, to_milliseconds(known.state.chunked_until))
    if not chunks:
        return parts
    asked = AskedVisits.of(db, site_id, period, filters)
    return [*parts, *(VisitPart(number, some, asked) for some, number in _grouped(chunks))]


def _grouped(chunks: Sequence[Chunk]) -> Iterator[tuple[Sequence[Chunk], int]]:
    """Those that are read together, and how many visits they have."""
    some, number = list[Chunk](), 0
    for chunk in chunks:
        some.append(chunk)
        number += chunk.visits
        if number >= AT_ONCE:
            yield some, number
            some, number = [], 0
    if some:
        yield some, number


def stretches(db: Connection, site_id: int, period: Period) -> list[tuple[Period, int]]:
    """The period in parts of about AT_ONCE visits, each with how many had begun in it: by the counts of visits, which
    are kept; so that the parts take about as long each."""
    starts_at, visits = type_coerce(col(VisitCount.starts_at), BigInteger), col(VisitCount.visits)
    counted = (
        select(starts_at, visits)
        .where(
            col(VisitCount.site_id) == site_id,
            starts_at >= to_milliseconds(period.from_at),
            starts_at < to_milliseconds(period.until_at),
        )
        .order_by(starts_at)
    )
    parts: list[tuple[Period, int]] = []
    from_at, total = period.from_at, 0
    for starts, number in db.execute(counted).tuples():
        if total and total + number > AT_ONCE:
            until_at = from_milliseconds(starts)
            parts.append((Period(from_at, until_at), total))
            from_at, total = until_at, 0
        total += number
    return [*parts, (Period(from_at, period.until_at), total)]
