"""What does not add up from smaller counts, of each step of a series: its visitors, and its median time on site."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

import pandas as pd
from sqlalchemy import Connection

from core.rollups.dimensions import Dimension
from core.rollups.site_counts import count_state
from core.tables import Site
from core.trends.cards import median_seconds
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


def step_measures(
    db: Connection,
    site: Site,
    period: TrendPeriod,
    now: datetime,
    measure: StepMeasure,
    granularity: Granularity,
    filters: TrendFilters = NO_FILTERS,
    progress: Callable[[float], None] = lambda _: None,
) -> pd.DataFrame:
    """The measure of each step, and of the same step of the period before, of visits that the filters let through.

    Columns: step (its local begin, without a zone), label, now, before, both floats; NaN in steps that are to come,
    where there is none to compare with, and where nothing is known: the median without a visit, and visitors where
    the site remembers none at all. A visitor of several steps is one of each. progress: is told after each step which
    share of the work is done, 0 to 1.
    """
    thinned_until = count_state(db, site).thinned_until
    knows_before = filters.is_empty or thinned_until <= period.before().bounds.from_at
    before: Mapping[datetime, Period] = {}
    if knows_before:
        before = bounds_before(period, granularity)
    sides = (step_bounds(period, granularity), before)
    count = _MEASURED[measure]
    work = [
        (name, step, within)
        for name, side in zip(_SIDES, sides, strict=True)
        for step, within in side.items()
    ]
    values: dict[tuple[str, datetime], float] = {}
    for done, (name, step, within) in enumerate(work, 1):
        if within.from_at <= now:
            values[name, step] = count(db, site, within, filters)
        progress(done / len(work))
    if measure is StepMeasure.VISITORS and not any(values.values()):
        values.clear()
    steps = [*sides[0]]
    columns = {name: [values.get((name, step), _NOT_KNOWN) for step in steps] for name in _SIDES}
    labels = [step_label(step, granularity, period) for step in steps]
    return pd.DataFrame({"step": steps, "label": labels, **columns}).astype(
        dict.fromkeys(_SIDES, "float64")
    )


def _median(db: Connection, site: Site, within: Period, filters: TrendFilters) -> float:
    counts = count_period(db, site, within, filters, [Dimension.TIME], lambda _: None)
    return median_seconds(counts)


def _visitors(db: Connection, site: Site, within: Period, filters: TrendFilters) -> float:
    return count_visitors_of(db, site, within, filters)


_MEASURED: Mapping[StepMeasure, Callable[[Connection, Site, Period, TrendFilters], float]] = {
    StepMeasure.VISITORS: _visitors,
    StepMeasure.MEDIAN_SECONDS: _median,
}
