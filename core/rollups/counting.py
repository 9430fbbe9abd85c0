"""Counts of visits by dimension and value: of those that are over for what is kept, or of what a page asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, case, func, select
from sqlmodel import col

from core.moment import milliseconds
from core.plain_rows import plain_rows
from core.rollups.dimensions import (
    OF_PAGES,
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


class Counting:
    """Visits that are counted part after part."""

    def __init__(self, site_id: int, dimensions: Collection[Dimension]) -> None:
        """VISITOR is counted by `core.rollups.visitor_counts`."""
        self._site_id = site_id
        self._sums: dict[Dimension, defaultdict[Any, int]] = {
            each: defaultdict(int) for each in dimensions
        }
        self._texts = [each for each in VALUES if each in self._sums]

    def add(self, db: Connection, wanted: Sequence[ColumnElement[bool]]) -> None:
        """Count the visits for which the conditions on `visit` hold: they are of the site, and were not counted yet."""
        if self._sums.keys() == {Dimension.TIME}:
            self._add_times(db, wanted)
            return
        columns = (col(Visit.number), STARTED_AT, TIME_ON_SITE, col(Visit.page_count), RETURNING)
        texts = (VALUES[each] for each in self._texts)
        of_page_counts: dict[int, int] = {}
        slots, times, returning = (
            self._sums.get(each, defaultdict[Any, int](int))
            for each in (Dimension.SLOT, Dimension.TIME, Dimension.RETURNING)
        )
        of_texts = [self._sums[each] for each in self._texts]
        rows = plain_rows(db, select(*columns, *texts).where(*wanted))
        for number, start, time, page_count, is_returning, *values in rows:
            seconds = time // 1000 if time > 0 else 0
            weight = _VISIT + page_count * _VIEW + seconds
            if page_count == 1:
                weight += _ONE_PAGE
            slots[start // _SLOT * _SLOT] += weight
            times[time_class(seconds)] += weight
            returning[is_returning] += weight
            for sums, value in zip(of_texts, values, strict=True):
                sums[value] += weight
            of_page_counts[number] = page_count
        if of_page_counts and not OF_PAGES.isdisjoint(self._sums):
            self._add_pages(db, of_page_counts)

    def _add_times(self, db: Connection, wanted: Sequence[ColumnElement[bool]]) -> None:
        """By whole seconds, of which there are few: the database counts them in a fraction of the time."""
        seconds = TIME_ON_SITE // 1000
        page_count = col(Visit.page_count)
        columns = (
            seconds,
            func.count(),
            func.sum(page_count),
            func.sum(case((page_count == 1, 1), else_=0)),
        )
        times = self._sums[Dimension.TIME]
        rows = db.execute(select(*columns).where(*wanted).group_by(seconds)).tuples()
        for length, visits, page_views, one_page_visits in rows:
            whole = max(length, 0)
            weight = int(visits) * (_VISIT + whole) + int(page_views) * _VIEW
            times[time_class(whole)] += weight + int(one_page_visits) * _ONE_PAGE

    def counts(self) -> list[Count]:
        """One of each value that a visit had."""
        return [
            Count(
                dimension.value,
                str(value),
                total // _VISIT,
                total % _VISIT // _VIEW,
                total % _VIEW // _ONE_PAGE,
                total % _ONE_PAGE,
            )
            for dimension, sums in self._sums.items()
            for value, total in sums.items()
        ]

    def _add_pages(self, db: Connection, page_counts: Mapping[int, int]) -> None:
        """A visit counts once for each value that it saw."""
        paths, contexts = (
            self._sums.get(each, defaultdict[Any, int](int))
            for each in (Dimension.PAGE, Dimension.CONTEXT)
        )
        of_visit, first = 0, _VISIT
        met: set[str] = set()
        for visit, path, context, seconds in shown_pages(db, self._site_id, page_counts):
            if visit != of_visit:
                of_visit, met = visit, set[str]()
                first = _VISIT + _ONE_PAGE if page_counts[visit] == 1 else _VISIT
            weight = _VIEW + seconds
            # No context begins with a slash, as every path does.
            paths[path] += weight if path in met else weight + first
            contexts[context] += weight if context in met else weight + first
            met.add(path)
            met.add(context)


def count_visits(
    db: Connection, site_id: int, wanted: Sequence[ColumnElement[bool]]
) -> list[Count]:
    """All counts of the visits for which the conditions hold, as `Counting.add` takes them."""
    counting = Counting(site_id, list(Dimension))
    counting.add(db, wanted)
    return counting.counts()


def add_up(counts: Iterable[Count]) -> list[Count]:
    """One count of each value."""
    sums: dict[tuple[str, str], list[int]] = {}
    for dimension, value, *numbers in counts:
        total = sums.setdefault((dimension, value), [0, 0, 0, 0])
        for place, number in enumerate(numbers):
            total[place] += number
    return [Count(*key, *total) for key, total in sums.items()]
