"""The visitors and the median time on site of each step of a series, of visits that are read: all of them once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import numpy as np
from sqlalchemy import ColumnElement, Connection, select
from sqlmodel import col

from core.moment import to_milliseconds
from core.rollups.counting import Count
from core.rollups.dimensions import STARTED_AT, TIME_CLASSES, TIME_ON_SITE, Dimension
from core.rollups.visit_columns import visitor_number
from core.tables import Visit
from core.trends.cards import median_seconds
from core.trends.chunk_arrays import read_numbers
from core.trends.column_texts import Integers, read_columns, read_integers
from core.trends.counted_days import CountedSite
from core.trends.filters import TrendFilters
from core.trends.side_by_side import read_parts
from core.trends.visit_parts import VisitPart, parts_of
from core.visits.calendar import Period

_CLASSES = np.array(TIME_CLASSES)


class Gatherer(Protocol):
    """What is kept of the visits of one step until all of them are read."""

    column: str
    """Of `core.rollups.visit_columns.OF_VISITS`: what it takes of each visit."""

    def add(self, column: Integers) -> None:
        """Take more visits."""
        ...

    def value(self) -> float:
        """The measure of them all."""
        ...


class Visitors:
    """How many different visitors that the site remembers."""

    column = "visitor"

    def __init__(self) -> None:
        self._parts: list[Integers] = []

    def add(self, column: Integers) -> None:
        self._parts.append(np.unique(column))

    def value(self) -> float:
        different = np.unique(np.concatenate([np.empty(0, np.int64), *self._parts]))
        return float(np.count_nonzero(different))


class MedianSeconds:
    """The median time on site, right within its class."""

    column = "seconds"

    def __init__(self) -> None:
        self._visits = np.zeros(len(_CLASSES), np.int64)

    def add(self, column: Integers) -> None:
        places = np.searchsorted(_CLASSES, column, side="right") - 1
        self._visits += np.bincount(places, minlength=len(_CLASSES))

    def value(self) -> float:
        counts = zip(TIME_CLASSES, self._visits.tolist(), strict=True)
        return median_seconds(
            [Count(Dimension.TIME.value, str(first), visits, 0, 0, 0) for first, visits in counts]
        )


class StepWork(NamedTuple):
    """What is to be read for the steps of a series. steps: of the series, with their bounds, of which none overlaps
    another; in the order of time. parts: of `core.trends.visit_parts`."""

    steps: Sequence[tuple[datetime, Period]]
    parts: Sequence[VisitPart]

    @classmethod
    def of(
        cls,
        db: Connection,
        known: CountedSite,
        steps: Mapping[datetime, Period],
        filters: TrendFilters,
    ) -> StepWork:
        """For these steps, in any order."""
        ordered = sorted(steps.items(), key=lambda step: step[1])
        if not ordered:
            return cls((), ())
        whole = Period(ordered[0][1].from_at, ordered[-1][1].until_at)
        return cls(ordered, parts_of(db, known, whole, filters))

    @property
    def visits(self) -> int:
        """About how many."""
        return sum(part.visits for part in self.parts)


def measure_steps(
    db: Connection,
    known: CountedSite,
    work: StepWork,
    gatherer: type[Gatherer],
    tell: Callable[[int], None],
) -> dict[datetime, float]:
    """The measure of each step that has a visit. tell: is told after each part how many more visits are done."""
    edges = np.array([[*map(to_milliseconds, bounds)] for _, bounds in work.steps]).reshape(-1, 2)
    found: defaultdict[datetime, Gatherer] = defaultdict(gatherer)

    def read(db: Connection, part: VisitPart) -> tuple[Integers, Integers]:
        if part.asked is not None:
            return read_numbers(db, part.chunks, part.asked, gatherer.column)
        return _read_rows(db, part.wanted, gatherer.column)

    for part, (began, column) in read_parts(db, work.parts, read, is_level=known.is_level):
        order = np.argsort(began)
        began, column = began[order], column[order]
        places = np.searchsorted(began, edges).tolist()
        for (step, _), (first, end) in zip(work.steps, places, strict=True):
            if first < end:
                found[step].add(column[first:end])
        tell(part.visits)
    return {step: gathered.value() for step, gathered in found.items()}


def _read_rows(
    db: Connection, wanted: Sequence[ColumnElement[bool]], column: str
) -> tuple[Integers, Integers]:
    """As `read_numbers`, of the visits for which the conditions hold."""
    if column == Visitors.column:
        began, ids = read_columns(db, select(STARTED_AT, col(Visit.visitor_id)).where(*wanted))
        return np.array(began, np.int64), np.fromiter(map(visitor_number, ids), np.int64, len(ids))
    began, time = read_integers(db, select(STARTED_AT, TIME_ON_SITE).where(*wanted))
    return began, np.maximum(time, 0) // 1000
