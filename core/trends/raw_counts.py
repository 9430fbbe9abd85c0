"""Visits read from their rows: those that are in no chunk."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

import numpy as np
from sqlalchemy import ColumnElement, Connection, case, func, select
from sqlmodel import col

from core.listed import list_numbers
from core.rollups.counting import Count
from core.rollups.dimensions import OF_PAGES, STARTED_AT, TIME_ON_SITE, Dimension
from core.rollups.page_counts import select_spans_in_view, select_views
from core.rollups.visit_columns import TEXTS
from core.tables import Visit
from core.trends.column_texts import Integers, coded, read_columns, read_integers
from core.trends.visit_arrays import ViewArrays, VisitArrays, count_arrays, count_by_seconds

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
    return count_arrays(db, site_id, read_rows(db, site_id, wanted, dimensions), dimensions)


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
    length, *numbers = read_integers(db, counted)
    return count_by_seconds(np.maximum(length, 0), *numbers)


def read_rows(
    db: Connection,
    site_id: int,
    wanted: Sequence[ColumnElement[bool]],
    dimensions: Collection[Dimension],
) -> VisitArrays:
    """Those visits, with what it takes to count these dimensions."""
    texts = {each: TEXTS[each] for each in TEXTS if each in dimensions}
    numbers = (col(Visit.number), STARTED_AT, TIME_ON_SITE, col(Visit.page_count))
    if texts:
        columns = read_columns(db, select(*numbers, *texts.values()).where(*wanted))
        whole = [np.array(column, np.int64) for column in islice(columns, len(numbers))]
    else:  # half of the time: whole numbers need no JSON
        columns, whole = iter(()), [*read_integers(db, select(*numbers).where(*wanted))]
    number, began, time, page_count = whole
    has_views = len(number) and not OF_PAGES.isdisjoint(dimensions)
    return VisitArrays(
        began,
        np.maximum(time, 0) // 1000,
        page_count,
        {each: coded(column) for each, column in zip(texts, columns, strict=True)},
        _read_views(db, site_id, number) if has_views else None,
    )


def _read_views(db: Connection, site_id: int, number: Integers) -> ViewArrays | None:
    listed = list_numbers(number.tolist())
    views = read_integers(db, select_views(db, site_id, listed))
    if not views.size:
        return None
    spans = read_integers(db, select_spans_in_view(db, site_id, listed))
    order = np.argsort(number)
    visit = order[np.searchsorted(number[order], views[0])]
    return ViewArrays(visit, views[3], views[4], _seconds_in_view(views, spans))


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
