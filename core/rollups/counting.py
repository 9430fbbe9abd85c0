"""Counts of visits by dimension and value, for what is kept of those that are over; `core.trends.raw_counts` makes the
same of what a page asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select
from sqlmodel import col

from core.moment import milliseconds
from core.plain_rows import plain_rows
from core.rollups.dimensions import (
    RETURNING,
    STARTED_AT,
    TIME_ON_SITE,
    VALUES,
    Dimension,
    time_class,
)
from core.rollups.page_counts import shown_pages
from core.tables import Visit
from core.visits.presence import COUNT_SLOT

_SLOT = milliseconds(COUNT_SLOT)
_VISIT, _VIEW, _ONE_PAGE = 1 << 120, 1 << 80, 1 << 48
"""Four sums in one number, seconds in its lowest bits: one addition for each value of a visit instead of four."""


class Count(NamedTuple):
    """What is counted of the visits that have a value.

    Of a dimension of visits: the visits, their page views, those of them with one page view, their seconds on the
    site (each rounded down). Of PAGE and CONTEXT: the visits that saw it, its views, those that saw
    nothing else, and its seconds in view (each view's rounded down).
    """

    dimension: str
    value: str
    visits: int
    page_views: int
    one_page_visits: int
    seconds: int


def count_visits(
    db: Connection, site_id: int, wanted: Sequence[ColumnElement[bool]]
) -> list[Count]:
    """All counts of the visits for which the conditions on `visit` hold; they are of the site. One of each value.

    VISITOR is counted by `core.rollups.visitor_counts`.
    """
    sums: dict[Dimension, defaultdict[Any, int]] = {each: defaultdict(int) for each in Dimension}
    slots, times, returning = (
        sums[each] for each in (Dimension.SLOT, Dimension.TIME, Dimension.RETURNING)
    )
    of_texts = [sums[each] for each in VALUES]
    of_page_counts: dict[int, int] = {}
    columns = (col(Visit.number), STARTED_AT, TIME_ON_SITE, col(Visit.page_count), RETURNING)
    rows = plain_rows(db, select(*columns, *VALUES.values()).where(*wanted))
    for number, start, time, page_count, is_returning, *values in rows:
        seconds = time // 1000 if time > 0 else 0
        weight = _VISIT + page_count * _VIEW + seconds
        if page_count == 1:
            weight += _ONE_PAGE
        slots[start // _SLOT * _SLOT] += weight
        times[time_class(seconds)] += weight
        returning[is_returning] += weight
        for of_text, value in zip(of_texts, values, strict=True):
            of_text[value] += weight
        of_page_counts[number] = page_count
    if of_page_counts:
        _add_pages(db, site_id, of_page_counts, sums[Dimension.PAGE], sums[Dimension.CONTEXT])
    return [
        Count(
            dimension.value,
            str(value),
            total // _VISIT,
            total % _VISIT // _VIEW,
            total % _VIEW // _ONE_PAGE,
            total % _ONE_PAGE,
        )
        for dimension, by_value in sums.items()
        for value, total in by_value.items()
    ]


def _add_pages(
    db: Connection,
    site_id: int,
    page_counts: Mapping[int, int],
    paths: defaultdict[Any, int],
    contexts: defaultdict[Any, int],
) -> None:
    """A visit counts once for each value that it saw."""
    of_visit, first = 0, _VISIT
    met: set[str] = set()
    for visit, path, context, seconds in shown_pages(db, site_id, page_counts):
        if visit != of_visit:
            of_visit, met = visit, set[str]()
            first = _VISIT + _ONE_PAGE if page_counts[visit] == 1 else _VISIT
        weight = _VIEW + seconds
        # No context begins with a slash, as every path does.
        paths[path] += weight if path in met else weight + first
        contexts[context] += weight if context in met else weight + first
        met.add(path)
        met.add(context)


def add_up(counts: Iterable[Count]) -> list[Count]:
    """One count of each value."""
    sums: dict[tuple[str, str], list[int]] = {}
    for dimension, value, visits, page_views, one_page_visits, seconds in counts:
        total = sums.get((dimension, value))
        if total is None:
            sums[dimension, value] = [visits, page_views, one_page_visits, seconds]
            continue
        total[0] += visits
        total[1] += page_views
        total[2] += one_page_visits
        total[3] += seconds
    return [Count(*key, *total) for key, total in sums.items()]
