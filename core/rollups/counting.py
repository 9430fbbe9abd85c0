"""Counts of visits by dimension and value: of those that are over for what is kept, or of what a page asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select
from sqlmodel import col

from core.moment import milliseconds
from core.rollups.dimensions import (
    OF_PAGES,
    RETURNING,
    STARTED_AT,
    TIME_ON_SITE,
    VALUES,
    Dimension,
    time_class,
)
from core.rollups.page_counts import ShownPage, shown_pages
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
    db: Connection, wanted: Sequence[ColumnElement[bool]], dimensions: Collection[Dimension]
) -> list[Count]:
    """The counts of the visits for which the conditions on `visit` hold: they are of one site.

    VISITOR is counted by `core.rollups.visitor_counts`.
    """
    counts: list[Count] = []
    if any(each not in OF_PAGES for each in dimensions):
        counts += _count_rows(db, wanted, dimensions)
    if of_pages := OF_PAGES & set(dimensions):
        seen = shown_pages(db, wanted)
        for dimension in sorted(of_pages):
            counts += _count_seen(dimension, seen)
    return counts


def add_up(counts: Iterable[Count]) -> list[Count]:
    """One count of each value."""
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for dimension, value, *numbers in counts:
        total = sums[dimension, value]
        for place, number in enumerate(numbers):
            total[place] += number
    return [Count(*key, *total) for key, total in sums.items()]


def _count_rows(
    db: Connection, wanted: Sequence[ColumnElement[bool]], dimensions: Collection[Dimension]
) -> list[Count]:
    asked = [each for each in VALUES if each in dimensions]
    values = (VALUES[each] for each in asked)
    columns = (STARTED_AT, TIME_ON_SITE, col(Visit.page_count), RETURNING, *values)
    rows = db.execute(select(*columns).where(*wanted)).all()
    if not rows:
        return []
    starts, times, page_counts, returning, *texts = zip(*rows, strict=True)
    seconds = [max(time, 0) // 1000 for time in times]
    weights = [
        _VISIT + views * _VIEW + (views == 1) * _ONE_PAGE + length
        for views, length in zip(page_counts, seconds, strict=True)
    ]
    found: Mapping[Dimension, Iterable[Any]] = {
        Dimension.SLOT: (start // _SLOT * _SLOT for start in starts),
        Dimension.TIME: map(time_class, seconds),
        Dimension.RETURNING: returning,
        **dict(zip(asked, texts, strict=True)),
    }
    return [
        count
        for dimension, of_visits in found.items()
        if dimension in dimensions
        for count in _sums(dimension, of_visits, weights)
    ]


def _count_seen(dimension: Dimension, seen: Sequence[ShownPage]) -> list[Count]:
    """A visit counts once for each value that it saw."""
    is_page, met = dimension is Dimension.PAGE, set[tuple[int, str]]()
    values: list[str] = []
    weights: list[int] = []
    for visit, page_count, path, context, seconds in seen:
        value, weight = path if is_page else context, _VIEW + seconds
        if (visit, value) not in met:
            met.add((visit, value))
            weight += _VISIT + (page_count == 1) * _ONE_PAGE
        values.append(value)
        weights.append(weight)
    return _sums(dimension, values, weights)


def _sums(dimension: Dimension, values: Iterable[Any], weights: Sequence[int]) -> list[Count]:
    sums: dict[Any, int] = {}
    for value, weight in zip(values, weights, strict=True):
        sums[value] = sums.get(value, 0) + weight
    return [
        Count(
            dimension.value,
            str(value),
            total // _VISIT,
            total % _VISIT // _VIEW,
            total % _VIEW // _ONE_PAGE,
            total % _ONE_PAGE,
        )
        for value, total in sums.items()
    ]
