"""Counts of visits by dimension and value, for what is kept of those that are over; `core.trends.visit_arrays` makes the
same of what a page asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection

from core.moment import milliseconds
from core.rollups.dimensions import Dimension, time_class
from core.rollups.page_counts import texts_of
from core.rollups.visit_columns import TEXTS, VisitColumns
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


def count_visits(db: Connection, site_id: int, columns: VisitColumns) -> list[Count]:
    """All counts of these visits of the site. One of each value.

    VISITOR is counted by `core.rollups.visitor_counts`.
    """
    sums: dict[Dimension, defaultdict[Any, int]] = {each: defaultdict(int) for each in Dimension}
    slots, times = sums[Dimension.SLOT], sums[Dimension.TIME]
    weights: list[int] = []
    for began, seconds, page_count in zip(
        columns.began, columns.seconds, columns.page_count, strict=True
    ):
        weight = _VISIT + page_count * _VIEW + seconds
        if page_count == 1:
            weight += _ONE_PAGE
        slots[began // _SLOT * _SLOT] += weight
        times[time_class(seconds)] += weight
        weights.append(weight)
    for dimension, column in zip(TEXTS, columns.texts, strict=True):
        of_text = sums[dimension]
        for value, weight in zip(column, weights, strict=True):
            of_text[value] += weight
    _add_pages(db, site_id, columns, sums[Dimension.PAGE], sums[Dimension.CONTEXT])
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
    columns: VisitColumns,
    paths: defaultdict[Any, int],
    contexts: defaultdict[Any, int],
) -> None:
    """A visit counts once for each value that it saw."""
    texts = texts_of(db, site_id, set(columns.page))
    for page_count, views in zip(columns.page_count, columns.views_of_each(), strict=True):
        met: set[str] = set()
        first = _VISIT + _ONE_PAGE if page_count == 1 else _VISIT
        for page, seconds in zip(columns.page[views], columns.in_view[views], strict=True):
            path, context = texts[page]
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
