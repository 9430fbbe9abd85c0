"""What does not add up from smaller counts, of each step of a series: its visitors, and its median time on site."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

    progress: is told after each step which share of the work is done, 0 to 1.
    """
    counted = CountedSite.read(db, site)
    reads_rows = granularity is Granularity.HOUR or not filters.is_empty
    known_since = counted.state.thinned_until if reads_rows else EPOCH
    is_thinned = known_since > period.before().bounds.from_at
    before: Mapping[datetime, Period] = {}
    if filters.is_empty or not is_thinned:
        before = bounds_before(period, granularity)
    sides = (step_bounds(period, granularity), before)
    work = [
        (name, step, within)
        for name, side in zip(_SIDES, sides, strict=True)
        for step, within in side.items()
        if known_since <= within.from_at <= now
    ]
    count = _MEASURED[measure]
    columns: dict[str, dict[datetime, float]] = {name: {} for name in _SIDES}
    for done, (name, step, within) in enumerate(work, 1):
        columns[name][step] = count(db, counted, within, filters)
        progress(done / len(work))
    steps = [*sides[0]]
    told = {
        name: pd.Series(
            [_known(measure, values).get(step, _NOT_KNOWN) for step in steps], dtype="float64"
        )
        for name, values in columns.items()
    }
    labels = [step_label(step, granularity, period) for step in steps]
    return StepMeasures(
        pd.DataFrame({"step": steps, "label": labels, **told}),
        known_since if is_thinned else None,
    )


def _known(measure: StepMeasure, values: Mapping[datetime, float]) -> Mapping[datetime, float]:
    """Without visitors, where none is remembered."""
    return {} if measure is StepMeasure.VISITORS and not any(values.values()) else values


def _median(db: Connection, counted: CountedSite, within: Period, filters: TrendFilters) -> float:
    counts = count_period(db, counted, within, filters, [Dimension.TIME], lambda _: None)
    return median_seconds(counts)


def _visitors(db: Connection, counted: CountedSite, within: Period, filters: TrendFilters) -> float:
    return count_visitors_of(db, counted, within, filters)


_MEASURED: Mapping[
    StepMeasure, Callable[[Connection, CountedSite, Period, TrendFilters], float]
] = {
    StepMeasure.VISITORS: _visitors,
    StepMeasure.MEDIAN_SECONDS: _median,
}
