"""What happened over time on a site: every card of the Trends page, from one snapshot of the database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from core.moment import EPOCH
from core.rollups.counting import Count
from core.rollups.dimensions import Dimension
from core.tables import Site
from core.trends.cards import by_slot, heat_map, median_seconds, series, value_list
from core.trends.counted_days import CountedSite
from core.trends.counts import PeriodCounts, count_period, count_visitors_of
from core.trends.filters import NO_FILTERS, TrendFilters
from core.trends.period import DAY, Granularity, TrendPeriod
from core.trends.side_by_side import read_parts
from core.visits.calendar import Period
from core.visits.presence import COUNT_SLOT
from core.visits.visit_counts import visits_started

TellShare = Callable[[float], None]
"""Is told after each part which share of the work is done, 0 to 1."""

_OF_TOTALS = (Dimension.SLOT, Dimension.TIME)
_OF_TIMES = (Dimension.TIME,)
_OF_CARDS = [each for each in Dimension if each is not Dimension.VISITOR]

LISTS: Mapping[str, Dimension] = {
    "sources": Dimension.SOURCE,
    "campaigns": Dimension.CAMPAIGN,
    "entry_pages": Dimension.ENTRY_PAGE,
    "exit_pages": Dimension.EXIT_PAGE,
    "pages": Dimension.PAGE,
    "countries": Dimension.COUNTRY,
    "devices": Dimension.DEVICE,
    "browsers": Dimension.BROWSER,
    "contexts": Dimension.CONTEXT,
    "new_and_returning": Dimension.RETURNING,
}
"""The field of `Trends` that lists each dimension."""

TOTALS = {
    "visits": "Visits",
    "page_views": "Page Views",
    "visitors": "Visitors",
    "median_seconds": "Median Time on Site",
    "one_page_visits": "One-Page Visits",
}
"""The measures of the totals, in their order, with their labels."""


@dataclass(frozen=True, eq=False)
class Trends:
    """What happened on a site in a period. All of a visit counts where it began. It is equal to itself only.

    totals: a row for each of TOTALS. Columns: measure, label, value, before (of the period before), both floats,
    NaN where nothing is known: visitors where the site does not remember any, the median without a visit.
    series: by the finest of `period.granularities()`, or the one that was asked for; see `core.trends.cards.series`. NA in
    steps that are to come, or have none before.
    sources, campaigns, entry_pages, exit_pages, pages, countries, devices, browsers, contexts,
    new_and_returning: see `core.trends.cards.value_list`. campaigns: without visits that have none. pages,
    contexts: visits count once for each page, or context, that they saw, so the shares add up to more than 1.
    new_and_returning: empty where the site remembers nobody.
    heat_map: see `core.trends.cards.heat_map`.
    compared_until: the moment of the period before up to which it is compared: as far into it as `now` is into a
    period that is not over yet.
    rows_since: where filters read visits, of which older ones are deleted for their age: from when on all are
    counted, and the period before is not told; else None.
    """

    period: TrendPeriod
    filters: TrendFilters
    granularity: Granularity
    compared_until: datetime
    rows_since: datetime | None
    totals: pd.DataFrame
    series: pd.DataFrame
    sources: pd.DataFrame
    campaigns: pd.DataFrame
    entry_pages: pd.DataFrame
    exit_pages: pd.DataFrame
    pages: pd.DataFrame
    countries: pd.DataFrame
    devices: pd.DataFrame
    browsers: pd.DataFrame
    contexts: pd.DataFrame
    new_and_returning: pd.DataFrame
    heat_map: pd.DataFrame


def trends(
    db: Connection,
    site: Site,
    period: TrendPeriod,
    now: datetime,
    filters: TrendFilters = NO_FILTERS,
    granularity: Granularity | None = None,
    progress: TellShare | None = None,
) -> Trends:
    """What happened on the site in the period, of visits that the filters let through.

    All numbers are from the one snapshot that the connection is in, but for what `read_parts` reads with a second one,
    a moment later: visits that are read part by part; and without filters the cards, each visitors' number, and the period
    before, any of these as a whole. progress: see `TellShare`; it is told by any thread, one at a time.
    """
    compared_until = _compared_until(period, now)
    bounds, before = period.bounds, period.before().bounds
    compared_period = Period(before.from_at, compared_until)
    work = _Work(db, site, filters, progress, [bounds, before])
    counts, visitors_compared, whole_before, times, visitors = work.answers(
        partial(work.count, bounds, _OF_CARDS),
        partial(work.count_visitors, compared_period),
        partial(work.count, before, _OF_TOTALS),
        partial(work.count, compared_period, _OF_TIMES if compared_until < before.until_at else ()),
        partial(work.count_visitors, bounds),
    )
    compared: PeriodCounts = whole_before
    if compared_until < before.until_at:
        compared = times._replace(slots=whole_before.slots.until(compared_until))
    sides = [(counts, visitors), (compared, visitors_compared)]
    slots = by_slot(counts.slots, period.time_zone)
    slots_before = by_slot(whole_before.slots, period.time_zone)
    total = int(slots["visits"].sum())
    thinned_until = work.counted.state.thinned_until
    is_thinned = not filters.is_empty and thinned_until > before.from_at
    granularity = granularity or period.granularities()[0]
    lists = {name: value_list(_listed(counts.values[of]), total) for name, of in LISTS.items()}
    return Trends(
        period=period,
        filters=filters,
        granularity=granularity,
        compared_until=compared_until,
        rows_since=thinned_until if is_thinned else None,
        totals=_totals(sides, knows_before=not is_thinned),
        series=_known_series(
            series(slots, slots_before, period, granularity),
            period,
            now,
            knows_before=not is_thinned,
        ),
        heat_map=heat_map(slots),
        **lists,
    )


def _listed(counts: Sequence[Count]) -> Sequence[Count]:
    """Without what a list does not have: no campaign; and where nobody is remembered, that nobody is."""
    dimension = counts[0].dimension if counts else ""
    nobody = dimension == Dimension.RETURNING and all(count.value == "" for count in counts)
    if nobody or dimension == Dimension.CAMPAIGN:
        return [count for count in counts if count.value != ""]
    return counts


def _compared_until(period: TrendPeriod, now: datetime) -> datetime:
    """The same local time as now, as many days before as the period has; on a slot's begin."""
    before, zone = period.before().bounds, ZoneInfo(period.time_zone)
    if now >= period.bounds.until_at:
        return before.until_at
    wall = now.astimezone(zone).replace(tzinfo=None) - period.shift
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    moment -= (moment - EPOCH) % COUNT_SLOT
    return min(max(moment, before.from_at), before.until_at)


class _Work:
    """Counting, and how much of it is done."""

    def __init__(
        self,
        db: Connection,
        site: Site,
        filters: TrendFilters,
        progress: TellShare | None,
        periods: Sequence[Period],
    ) -> None:
        self._db = db
        self.counted = CountedSite.read(db, site)
        self._filters = filters
        self._progress = progress
        self._total = sum(visits_started(db, site.id or 0, periods)) if progress else 0
        self._done = 0
        self._telling = Lock()

    def answers(self, *questions: Callable[[Connection], Any]) -> list[Any]:
        """The answer to each. Where little is read for each, two are answered side by side; else it is the parts of each."""
        if self._filters.is_empty and not self.counted.is_read_by_parts:
            parts = read_parts(self._db, questions, _ask, is_level=self.counted.is_level)
            found = [answer for _, answer in parts]
        else:
            found = [question(self._db) for question in questions]
        if self._progress:
            self._progress(1.0)  # of what was counted before nothing is told
        return found

    def count(
        self, period: Period, dimensions: Collection[Dimension], db: Connection
    ) -> PeriodCounts:
        """As `count_period`."""
        self._tell(0)
        return count_period(db, self.counted, period, self._filters, dimensions, self._tell)

    def count_visitors(self, period: Period, db: Connection) -> int:
        """As `count_visitors_of`."""
        self._tell(0)
        return count_visitors_of(db, self.counted, period, self._filters)

    def _tell(self, visits: int) -> None:
        if self._progress:
            with self._telling:
                self._done += visits
                self._progress(min(self._done / max(self._total, 1), 1.0))


def _ask(db: Connection, question: Callable[[Connection], Any]) -> Any:
    return question(db)


def _known_series(
    frame: pd.DataFrame, period: TrendPeriod, now: datetime, *, knows_before: bool
) -> pd.DataFrame:
    """The series without the steps that are to come, and without a period before that is not known or shorter."""
    local_now = now.astimezone(ZoneInfo(period.time_zone)).replace(tzinfo=None)
    is_to_come = frame["step"] > local_now
    has_none_before = frame["step"] >= pd.Timestamp(period.before().last + DAY + period.shift)
    is_missing = {
        name: has_none_before | (not knows_before) if name.endswith("_before") else is_to_come
        for name in frame.columns.difference(["step", "label"])
    }
    known = {
        name: frame[name].astype("Int64").mask(missing) for name, missing in is_missing.items()
    }
    return frame.assign(**known)


def _totals(sides: Sequence[tuple[PeriodCounts, int]], *, knows_before: bool) -> pd.DataFrame:
    """sides: the counts and visitors of the period, and of the one before."""
    now, before = (_measures(*side) for side in sides)
    rows = [(name, label, now[name], before[name]) for name, label in TOTALS.items()]
    frame = pd.DataFrame(rows, columns=["measure", "label", "value", "before"])
    frame = frame.astype({"value": "float64", "before": "float64"})
    return frame if knows_before else frame.assign(before=float("nan"))


def _measures(counts: PeriodCounts, visitors: int) -> dict[str, float]:
    slots = counts.slots
    return {
        "visits": float(slots.visits.sum()),
        "page_views": float(slots.page_views.sum()),
        "visitors": visitors or float("nan"),
        "median_seconds": median_seconds(counts.values[Dimension.TIME]),
        "one_page_visits": float(slots.one_page_visits.sum()),
    }
