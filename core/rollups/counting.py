"""Counts of visits by dimension and value: of those that are over for what is kept, or of what a page asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select
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

    def __init__(self, dimensions: Collection[Dimension]) -> None:
        """VISITOR is counted by `core.rollups.visitor_counts`."""
        self._sums: dict[Dimension, dict[Any, int]] = {each: {} for each in dimensions}
        self._texts = [each for each in VALUES if each in self._sums]

    def add(self, db: Connection, wanted: Sequence[ColumnElement[bool]]) -> None:
        """Count the visits for which the conditions on `visit` hold: they are of one site, and were not counted yet."""
        texts = (VALUES[each] for each in self._texts)
        columns = (
            col(Visit.site_id),
            col(Visit.number),
            STARTED_AT,
            TIME_ON_SITE,
            col(Visit.page_count),
            RETURNING,
        )
        rows = plain_rows(db, select(*columns, *texts).where(*wanted))
        if not rows:
            return
        site_ids, numbers, *of_visits = zip(*rows, strict=True)
        self._add_visits(*of_visits)
        if not OF_PAGES.isdisjoint(self._sums):
            self._add_pages(db, site_ids[0], dict(zip(numbers, of_visits[2], strict=True)))

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

    def _add_visits(
        self,
        starts: Sequence[int],
        times: Sequence[int],
        page_counts: Sequence[int],
        returning: Sequence[str],
        *texts: Sequence[str],
    ) -> None:
        seconds = [max(time, 0) // 1000 for time in times]
        weights = [
            _VISIT + views * _VIEW + (views == 1) * _ONE_PAGE + length
            for views, length in zip(page_counts, seconds, strict=True)
        ]
        found: Mapping[Dimension, Iterable[Any]] = {
            Dimension.SLOT: (start // _SLOT * _SLOT for start in starts),
            Dimension.TIME: map(time_class, seconds),
            Dimension.RETURNING: returning,
            **dict(zip(self._texts, texts, strict=True)),
        }
        for dimension, values in found.items():
            if (sums := self._sums.get(dimension)) is not None:
                for value, weight in zip(values, weights, strict=True):
                    sums[value] = sums.get(value, 0) + weight

    def _add_pages(
        self,
        db: Connection,
        site_id: int,
        page_counts: Mapping[int, int],
    ) -> None:
        """A visit counts once for each value that it saw."""
        paths, contexts = (self._sums.get(each, {}) for each in (Dimension.PAGE, Dimension.CONTEXT))
        of_visit, first, met = 0, _VISIT, set[str]()
        for visit, path, context, seconds in shown_pages(db, site_id, page_counts):
            if visit != of_visit:
                of_visit, met = visit, set()
                first = _VISIT + (page_counts[visit] == 1) * _ONE_PAGE
            weight = _VIEW + seconds
            # No context begins with a slash, as every path does.
            paths[path] = paths.get(path, 0) + (weight if path in met else weight + first)
            contexts[context] = contexts.get(context, 0) + (
                weight if context in met else weight + first
            )
            met.add(path)
            met.add(context)


def count_visits(
    db: Connection, wanted: Sequence[ColumnElement[bool]], dimensions: Collection[Dimension]
) -> list[Count]:
    """The counts of all visits for which the conditions hold, as `Counting.add` takes them."""
    counting = Counting(dimensions)
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
