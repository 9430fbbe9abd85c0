"""Counts of visits read from raw rows, as `core.rollups.counting` makes those that are kept: by the hundred thousand.

With numpy, and so not for the collector, which does without it: what both make is the same, see
tests/core/trends/test_raw_counts.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, case, func, select
from sqlmodel import col

from core.listed import list_numbers
from core.moment import milliseconds
from core.rollups.counting import Count
from core.rollups.dimensions import (
    OF_PAGES,
    RETURNING,
    STARTED_AT,
    TIME_ON_SITE,
    VALUES,
    Dimension,
    time_class,
)
from core.rollups.page_counts import select_spans_in_view, select_views, texts_of
from core.tables import Visit
from core.trends.column_texts import Integers, coded, read_columns, read_integers
from core.visits.presence import COUNT_SLOT

_SLOT = milliseconds(COUNT_SLOT)
_NEVER = 1 << 60


def count_rows(
    db: Connection,
    site_id: int,
    wanted: Sequence[ColumnElement[bool]],
    dimensions: Collection[Dimension],
) -> Iterator[Count]:
    """The counts of the visits for which the conditions on `visit` hold; they are of the site. One of each value."""
    if set(dimensions) == {Dimension.TIME}:
        return _count_times(db, wanted)
    return _count_all(db, site_id, wanted, set(dimensions))


def _count_times(db: Connection, wanted: Sequence[ColumnElement[bool]]) -> Iterator[Count]:
    """By whole seconds, of which there are few: the database counts them in a fraction of the time."""
    seconds = TIME_ON_SITE // 1000
    page_count = col(Visit.page_count)
    columns = (
        seconds,
        func.count(),
        func.sum(page_count),
        func.sum(case((page_count == 1, 1), else_=0)),
    )
    counted = select(*columns).where(*wanted).group_by(seconds)
    length, visits, page_views, one_page = read_integers(db, counted)
    whole: Integers = np.maximum(length, 0)
    measures = _Measures(visits, page_views, one_page, visits * whole)
    return _sums(Dimension.TIME, *_time_classes(whole), measures)


def _count_all(
    db: Connection,
    site_id: int,
    wanted: Sequence[ColumnElement[bool]],
    dimensions: Collection[Dimension],
) -> Iterator[Count]:
    values: Mapping[Dimension, Any] = {**VALUES, Dimension.RETURNING: RETURNING}
    texts = {each: values[each] for each in values if each in dimensions}
    numbers = (col(Visit.number), STARTED_AT, TIME_ON_SITE, col(Visit.page_count))
    if texts:
        columns = read_columns(db, select(*numbers, *texts.values()).where(*wanted))
        whole = [np.array(column, np.int64) for column in islice(columns, len(numbers))]
    else:  # half of the time: whole numbers need no JSON
        columns, whole = iter(()), read_integers(db, select(*numbers).where(*wanted))
    number, start, time, page_count = whole
    if not len(number):
        return
    seconds = np.maximum(time, 0) // 1000
    of_visits = _Measures(np.ones_like(number), page_count, (page_count == 1) * 1, seconds)
    if Dimension.SLOT in dimensions:
        slots, codes = np.unique(start // _SLOT * _SLOT, return_inverse=True)
        yield from _sums(Dimension.SLOT, slots.tolist(), codes, of_visits)
    if Dimension.TIME in dimensions:
        yield from _sums(Dimension.TIME, *_time_classes(seconds), of_visits)
    for dimension, column in zip(texts, columns, strict=True):
        yield from _sums(dimension, *coded(column), of_visits)
    if not OF_PAGES.isdisjoint(dimensions):
        yield from _count_pages(db, site_id, number, page_count, dimensions)


def _count_pages(
    db: Connection,
    site_id: int,
    number: Integers,
    page_count: Integers,
    dimensions: Collection[Dimension],
) -> Iterator[Count]:
    """A visit counts once for each value that it saw."""
    listed = list_numbers(number.tolist())
    views = read_integers(db, select_views(db, site_id, listed))
    if not views.size:
        return
    visit, page = views[0], views[-1]
    spans = read_integers(db, select_spans_in_view(db, site_id, listed))
    seconds = _seconds_in_view(views, spans)
    order = np.argsort(number)
    is_one_page = page_count[order][np.searchsorted(number[order], visit)] == 1
    pages, codes = np.unique(page, return_inverse=True)
    texts = texts_of(db, site_id, pages.tolist())
    for place, dimension in enumerate((Dimension.PAGE, Dimension.CONTEXT)):
        if dimension in dimensions:
            values, of_page = coded([texts[each][place] for each in pages.tolist()])
            value = of_page[codes]
            is_first = np.zeros(len(visit), bool)
            is_first[np.unique(visit * len(values) + value, return_index=True)[1]] = True
            measures = _Measures(is_first, np.ones_like(visit), is_first & is_one_page, seconds)
            yield from _sums(dimension, values, value, measures)


def _seconds_in_view(views: Integers, spans: Integers) -> Integers:
    """Of each view, rounded down: as long as its tab was in view until the tab's next one.

    views, spans: the columns of `select_views` and `select_spans_in_view`.
    """
    visit, tab, number, at, _ = views
    order = np.lexsort((number, at, tab, visit))
    visit, tab, at = visit[order], tab[order], at[order]
    is_last = np.append((visit[1:] != visit[:-1]) | (tab[1:] != tab[:-1]), True)
    until = np.where(is_last, _NEVER, np.append(at[1:], 0))
    tabs = 1 + max(tab.max(), spans[1].max(initial=0))
    of_both = np.concatenate((visit * tabs + tab, spans[0] * tabs + spans[1]))
    place = np.unique(of_both, return_inverse=True)[1].astype(np.int64)
    before = min(at.min(), spans[2].min(initial=0))
    seen = _TimeInView(
        place[len(at) :], spans[2] - before, spans[3] - before, int(at.max() - before)
    )
    lengths = seen.until(place[: len(at)], until - before) - seen.until(
        place[: len(at)], at - before
    )
    seconds = np.empty_like(lengths)
    seconds[order] = lengths // 1000
    return seconds


class _TimeInView:
    """For how long a tab had been in view at a moment; tabs are numbered, moments from 0.

    In view for max(0, moment - begin) - max(0, moment - end) in all spans: so sums of their edges, in order, say it
    without a look at each span of the tab.
    """

    def __init__(self, tab: Integers, begin: Integers, end: Integers, latest: int) -> None:
        """tab, begin, end: of the spans. latest: of the moments that are asked for, but for later than all."""
        self._width = 2 + max(latest, int(end.max(initial=0)))
        self._edges = [
            (sign, keys, np.concatenate(([0], np.cumsum(keys % self._width))))
            for sign, keys in (
                (1, np.sort(tab * self._width + begin)),
                (-1, np.sort(tab * self._width + end)),
            )
        ]

    def until(self, tab: Integers, moment: Integers) -> Integers:
        """Milliseconds, of each of these tabs at its moment."""
        moment = np.minimum(moment, self._width - 1)
        seen = np.zeros_like(moment)
        for sign, keys, sums in self._edges:
            first = np.searchsorted(keys, tab * self._width)
            end = np.searchsorted(keys, tab * self._width + moment)
            seen += sign * ((end - first) * moment - (sums[end] - sums[first]))
        return seen


@dataclass(frozen=True, eq=False)
class _Measures:
    """What is summed: a number of each row, as in `Count`."""

    visits: Integers
    page_views: Integers
    one_page_visits: Integers
    seconds: Integers


def _sums(
    dimension: Dimension, values: Sequence[Any], codes: Integers, measures: _Measures
) -> Iterator[Count]:
    """The counts by value; codes: of each row, the place of its value."""
    columns = (measures.visits, measures.page_views, measures.one_page_visits, measures.seconds)
    # Sums of floats are exact up to 2^53: 285 million years of seconds.
    sums = [np.bincount(codes, column, len(values)).astype(np.int64).tolist() for column in columns]
    for value, *numbers in zip(values, *sums, strict=True):
        yield Count(dimension.value, str(value), *numbers)


def _time_classes(seconds: Integers) -> tuple[Sequence[Any], Integers]:
    """The classes of times on site, and of each row the place of its own."""
    lengths, codes = np.unique(seconds, return_inverse=True)
    classes, of_length = coded([time_class(length) for length in lengths.tolist()])
    return classes, of_length[codes]
