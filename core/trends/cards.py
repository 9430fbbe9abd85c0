"""Frames of the trends' cards, made of counts: the lists by value, the series, the heat map, the totals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.enrich.country import UNKNOWN_NAME, country_name
from core.rollups.counting import Count
from core.rollups.dimensions import OF_PAGES, TIME_CLASSES, Dimension, Returning
from core.rollups.site_counts import REST
from core.trends.period import DAY, Granularity, TrendPeriod
from core.trends.series_steps import step_label, steps, steps_of
from core.trends.slot_counts import SlotCounts

LISTED = 1_000
"""The most values of a list that have a row of their own, as many as are counted of a day; the rest is summed in one more."""

REST_LABEL = "All others"

_MEASURES = list(Count._fields[2:])
_OF_STEPS = _MEASURES[:3]
_HOURS, _WEEKDAYS = 24, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_RETURNING_LABELS: Mapping[str, str] = {
    Returning.NEW: "New",
    Returning.RETURNING: "Returning",
    Returning.NOT_REMEMBERED: "Not remembered",
}
_LABELS: Mapping[Dimension, Callable[[str], str]] = {
    Dimension.COUNTRY: country_name,
    Dimension.RETURNING: lambda value: _RETURNING_LABELS[value],
    Dimension.CONTEXT: lambda value: value or "Other pages",
    Dimension.CAMPAIGN: lambda value: value or "No campaign",
}


def value_list(counts: Sequence[Count], total: int) -> pd.DataFrame:
    """The values of a dimension, that with the most visits first, ties by label; then, in one row, the rest.

    Columns: value (what a filter takes), label, visits, page_views, one_page_visits, seconds (as
    `core.rollups.counting.Count` says), seconds_per_view (of pages and contexts: in view, per view; of others per
    visit), share (of `total`, 0 to 1), is_rest.
    """
    label_of = _LABELS.get(Dimension(counts[0].dimension), _known) if counts else _known
    labels = {
        count.value: REST_LABEL if count.value == REST else label_of(count.value)
        for count in counts
    }
    ordered = sorted(
        counts,
        key=lambda count: (
            count.value == REST,
            -count.visits,
            -count.page_views,
            labels[count.value],
        ),
    )
    named = [count for count in ordered[:LISTED] if count.value != REST]
    rest = ordered[len(named) :]
    rows = [*named, *([_summed_rest(rest)] if rest else [])]
    is_of_pages = bool(counts) and Dimension(counts[0].dimension) in OF_PAGES
    per = [max(count.page_views if is_of_pages else count.visits, 1) for count in rows]
    numbers = {name: [getattr(count, name) for count in rows] for name in _MEASURES}
    seconds_each = [count.seconds / number for count, number in zip(rows, per, strict=True)]
    columns: dict[str, Any] = {
        "value": pd.array([count.value for count in rows], dtype="str"),
        "label": pd.array([labels.get(count.value, REST_LABEL) for count in rows], dtype="str"),
        **{name: np.array(column, dtype=np.int64) for name, column in numbers.items()},
        "seconds_per_view": np.array(seconds_each, dtype=np.float64),
        "share": np.array([count.visits / max(total, 1) for count in rows], dtype=np.float64),
        "is_rest": np.array([count.value == REST for count in rows], dtype=np.bool_),
    }
    return pd.DataFrame(columns)


def shortened(values: pd.DataFrame, most: int, per: str) -> pd.DataFrame:
    """A list with so many of its values, and the others, with what it has as the rest, in one row.

    per: the measure by which seconds_per_view is told, "page_views" or "visits".
    """
    if len(values) <= most + 1:
        return values
    first, others = values.iloc[:most], values.iloc[most:]
    sums = {name: others[name].sum() for name in [*_MEASURES, "share"]}
    each = sums["seconds"] / max(sums[per], 1)
    rest = {"value": REST, "label": REST_LABEL, **sums, "seconds_per_view": each, "is_rest": True}
    return pd.concat([first, pd.DataFrame([rest])], ignore_index=True)


def _known(value: str) -> str:
    return value or UNKNOWN_NAME


def _summed_rest(counts: Sequence[Count]) -> Count:
    return Count(
        counts[0].dimension,
        REST,
        sum(count.visits for count in counts),
        sum(count.page_views for count in counts),
        sum(count.one_page_visits for count in counts),
        sum(count.seconds for count in counts),
    )


def median_seconds(times: Sequence[Count]) -> float:
    """The median time on site, by the counts of TIME; NaN without one. Right within its class (TIME_CLASSES)."""
    classes = sorted((int(count.value), count.visits) for count in times)
    half, below = sum(visits for _, visits in classes) / 2, 0
    for first, visits in classes:
        if visits and below + visits >= half:
            # Within its class the visits are taken to be spread evenly.
            position = TIME_CLASSES.index(first)
            until = TIME_CLASSES[min(position + 1, len(TIME_CLASSES) - 1)]
            return first + max(until - first - 1, 0) * (half - below) / visits
        below += visits
    return float("nan")


def by_slot(slots: SlotCounts, time_zone: str) -> pd.DataFrame:
    """Visits by the slot of 15 minutes in which they began.

    Columns: starts_at (UTC), local (without a zone), visits, page_views, one_page_visits.
    """
    starts_at = pd.to_datetime(pd.Series(slots.starts_at), unit="ms", utc=True)
    local = starts_at.dt.tz_convert(ZoneInfo(time_zone)).dt.tz_localize(None)
    sums = {name: getattr(slots, name) for name in _OF_STEPS}
    return pd.DataFrame({"starts_at": starts_at, "local": local, **sums})


def series(
    now: pd.DataFrame, before: pd.DataFrame, period: TrendPeriod, granularity: Granularity
) -> pd.DataFrame:
    """Visits by the local hour, day or week in which they began: see `core.trends.series_steps`.

    now, before: as `by_slot` gives them, of the period and of that before it. Every step has a row, zeros
    included. Columns: step (its local begin, without a zone), label, visits, page_views, one_page_visits, and
    visits_before, page_views_before, one_page_visits_before of the same steps of the period before.
    """
    index = steps(period, granularity)
    moved = before.assign(local=before["local"] + pd.Timedelta(period.shift))
    # A month before may have more days.
    moved = moved[moved["local"] < pd.Timestamp(period.last + DAY)]
    frames = (_summed(now, granularity, period), _summed(moved, granularity, period))
    names = _OF_STEPS
    joined = pd.DataFrame(index=pd.DatetimeIndex(index))
    for frame, suffix in zip(frames, ("", "_before"), strict=True):
        joined = joined.join(frame[names].add_suffix(suffix))
    joined = joined.fillna(0).astype("int64")
    labels = [step_label(step, granularity, period) for step in joined.index]
    return (
        joined.rename_axis("step")
        .reset_index()
        .assign(label=labels)[["step", "label", *joined.columns]]
    )


def heat_map(now: pd.DataFrame) -> pd.DataFrame:
    """Visits by weekday and hour of the site's local time: 168 rows, Monday 00:00 first.

    now: as `by_slot` gives it. Columns: weekday (0: Monday), weekday_label, hour (0 to 23), visits.
    """
    cells = pd.MultiIndex.from_product([range(7), range(_HOURS)], names=["weekday", "hour"])
    local = now["local"].dt
    visits = now["visits"].groupby([local.weekday.rename("weekday"), local.hour.rename("hour")])
    frame = visits.sum().reindex(cells, fill_value=0).reset_index()
    return frame.assign(
        visits=frame["visits"].astype("int64"),
        weekday_label=frame["weekday"].map(dict(enumerate(_WEEKDAYS))),
    )[["weekday", "weekday_label", "hour", "visits"]]


def _summed(slots: pd.DataFrame, granularity: Granularity, period: TrendPeriod) -> pd.DataFrame:
    step = steps_of(slots["local"], granularity, period)
    return cast(Any, slots).groupby(step)[_OF_STEPS].sum()
