"""Visits as columns of numpy, and their counts as `core.rollups.counting` makes those that are kept: by the hundred
thousand. What both make is the same, see tests/core/trends/test_raw_counts.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from core.moment import milliseconds
from core.rollups.counting import Count
from core.rollups.dimensions import OF_PAGES, Dimension, time_class
from core.rollups.page_counts import texts_of
from core.trends.column_texts import Integers, coded
from core.visits.presence import COUNT_SLOT

_SLOT = milliseconds(COUNT_SLOT)

_UNKNOWN = ("", "")
"""Path and context of a page that no row names any more: one damaged chunk is to break no card."""

CodedTexts = tuple[Sequence[str], Integers]
"""The different texts of a column, and of each row the place of its own."""


@dataclass(frozen=True, eq=False)
class ViewArrays:
    """Page views. visit: the place of its visit in the visits' columns. after: milliseconds after the visit's begin.
    page: its id. in_view: seconds."""

    visit: Integers
    after: Integers
    page: Integers
    in_view: Integers


@dataclass(frozen=True, eq=False)
class VisitArrays:
    """Visits. began: milliseconds. seconds: on the site. texts: of the dimensions that were asked for. views: None where
    none were asked for."""

    began: Integers
    seconds: Integers
    page_count: Integers
    texts: Mapping[Dimension, CodedTexts]
    views: ViewArrays | None = None


@dataclass(frozen=True, eq=False)
class _Measures:
    """What is summed: a number of each row, as in `Count`."""

    visits: Integers
    page_views: Integers
    one_page_visits: Integers
    seconds: Integers


def count_arrays(
    db: Connection, site_id: int, visits: VisitArrays, dimensions: Collection[Dimension]
) -> Iterator[Count]:
    """The counts of these dimensions of visits of the site, whose arrays have what that takes. One of each value."""
    if not len(visits.began):
        return
    of_visits = _Measures(
        np.ones_like(visits.began), visits.page_count, (visits.page_count == 1) * 1, visits.seconds
    )
    if Dimension.SLOT in dimensions:
        slots, codes = np.unique(visits.began // _SLOT * _SLOT, return_inverse=True)
        yield from _sums(Dimension.SLOT, slots.tolist(), codes, of_visits)
    if Dimension.TIME in dimensions:
        yield from _sums(Dimension.TIME, *_time_classes(visits.seconds), of_visits)
    for dimension, texts in visits.texts.items():
        if dimension in dimensions:
            yield from _sums(dimension, *texts, of_visits)
    if visits.views is not None and not OF_PAGES.isdisjoint(dimensions):
        yield from _count_pages(db, site_id, visits.page_count, visits.views, dimensions)


def count_by_seconds(
    seconds: Integers, visits: Integers, page_views: Integers, one_page: Integers
) -> Iterator[Count]:
    """The counts of TIME, of visits that are counted by their whole seconds on the site."""
    measures = _Measures(visits, page_views, one_page, visits * seconds)
    return _sums(Dimension.TIME, *_time_classes(seconds), measures)


def _count_pages(
    db: Connection,
    site_id: int,
    page_count: Integers,
    views: ViewArrays,
    dimensions: Collection[Dimension],
) -> Iterator[Count]:
    """A visit counts once for each value that it saw."""
    is_one_page = page_count[views.visit] == 1
    pages, codes = np.unique(views.page, return_inverse=True)
    texts = texts_of(db, site_id, pages.tolist())
    for place, dimension in enumerate((Dimension.PAGE, Dimension.CONTEXT)):
        if dimension in dimensions:
            values, of_page = coded([texts.get(each, _UNKNOWN)[place] for each in pages.tolist()])
            value = of_page[codes]
            is_first = np.zeros(len(value), bool)
            is_first[np.unique(views.visit * len(values) + value, return_index=True)[1]] = True
            measures = _Measures(
                is_first, np.ones_like(value), is_first & is_one_page, views.in_view
            )
            yield from _sums(dimension, values, value, measures)


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
