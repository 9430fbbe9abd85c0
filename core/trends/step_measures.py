"""What does not add up from smaller counts, of each step of a series: its visitors, and its median time on site."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pandas as pd
from sqlalchemy import Connection

from core.moment import EPOCH
from core.rollups.dimensions import Dimension
from core.tables import Site
from core.trends.cards import median_seconds
from core.trends.counted_days import CountedSite
from core.trends.counts import count_period, count_visitors_of
from core.trends.filters import NO_FILTERS, TrendFilters
from core.trends.period import Granularity, TrendPeriod
from core.trends.series_steps import bounds_before, step_bounds, step_label
from core.trends.step_visits import MedianSeconds, StepWork, Visitors, measure_steps
from core.visits.calendar import Period

_SIDES = ("now", "before")
_NOT_KNOWN = float("nan")


class StepMeasure(StrEnum):
    """Those of the totals (`core.trends.TOTALS`) that are counted for each step by itself."""

    VISITORS = "visitors"
    MEDIAN_SECONDS = "median_seconds"


@dataclass(frozen=True, eq=False)
class StepMeasures:
    """A measure of each step of a series. It is equal to itself only.

    frame: columns step (its local begin, without a zone), label, now, and before, of the same step of the period
    before; both floats, NaN in steps that are to come or deleted, where there is none to compare with, and where
    nothing is known: the median without a visit, and visitors where none is remembered in any step.
    rows_since: as in `core.trends.Trends`; hours are always read from visits.
    """

    frame: pd.DataFrame
    rows_since: datetime | None


def step_measures(
    db: Connection,
    site: Site,
    period: TrendPeriod,
    now: datetime,
    measure: StepMeasure,
    granularity: Granularity,
    filters: TrendFilters = NO_FILTERS,
    progress: Callable[[float], None] = lambda _: None,
) -> StepMeasures:
    """The measure of each step, of visits that the filters let through; a visitor of several steps is one of each.

    progress: is told after each step that is counted, or each part of visits that are read, which share of the work is
    done, 0 to 1.
    """
    counted = CountedSite.read(db, site)
    reads_rows = granularity is Granularity.HOUR or not filters.is_empty
    known_since = counted.state.thinned_until if reads_rows else EPOCH
    is_thinned = known_since > period.before().bounds.from_at
    before: Mapping[datetime, Period] = {}
    if filters.is_empty or not is_thinned:
        before = bounds_before(period, granularity)
    sides = (step_bounds(period, granularity), before)
    told_of = [
        {step: within for step, within in side.items() if known_since <= within.from_at <= now}
        for side in sides
    ]
    columns = (
        _read(db, counted, told_of, measure, filters, progress)
        if reads_rows
        else _count(db, counted, told_of, measure, progress)
    )
    steps = [*sides[0]]
    told = {
        name: pd.Series(
            [_known(measure, values).get(step, _NOT_KNOWN) for step in steps], dtype="float64"
        )
        for name, values in zip(_SIDES, columns, strict=True)
    }
    labels = [step_label(step, granularity, period) for step in steps]
    return StepMeasures(
        pd.DataFrame({"step": steps, "label": labels, **told}),
        known_since if is_thinned else None,
    )


def _known(measure: StepMeasure, values: Mapping[datetime, float]) -> Mapping[datetime, float]:
    """Without visitors, where none is remembered."""
    return {} if measure is StepMeasure.VISITORS and not any(values.values()) else values


_Sides = Sequence[Mapping[datetime, Period]]
"""The steps with their bounds, of the period and of that before."""


def _read(
    db: Connection,
    counted: CountedSite,
    sides: _Sides,
    measure: StepMeasure,
    filters: TrendFilters,
    progress: Callable[[float], None],
) -> list[dict[datetime, float]]:
    """Of visits, each of which is read once, whatever the number of steps."""
    work = [StepWork.of(db, counted, side, filters) for side in sides]
    total, done = max(sum(side.visits for side in work), 1), 0

    def tell(visits: int) -> None:
        nonlocal done
        done += visits
        progress(min(done / total, 1.0))

    gatherer = Visitors if measure is StepMeasure.VISITORS else MedianSeconds
    found = [measure_steps(db, counted, side, gatherer, tell) for side in work]
    progress(1.0)
    nothing = gatherer().value()
    return [dict.fromkeys(side, nothing) | of for side, of in zip(sides, found, strict=True)]


def _count(
    db: Connection,
    counted: CountedSite,
    sides: _Sides,
    measure: StepMeasure,
    progress: Callable[[float], None],
) -> list[dict[datetime, float]]:
    """Of days that are counted."""
    found: list[dict[datetime, float]] = [{} for _ in sides]
    work = [(of, *step) for of, side in zip(found, sides, strict=True) for step in side.items()]
    for done, (of, step, within) in enumerate(work, 1):
        if measure is StepMeasure.VISITORS:
            of[step] = count_visitors_of(db, counted, within, NO_FILTERS)
        else:
            counts = count_period(db, counted, within, NO_FILTERS, [Dimension.TIME], lambda _: None)
            of[step] = median_seconds(counts.values[Dimension.TIME])
        progress(done / len(work))
    return found
