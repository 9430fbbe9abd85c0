"""What happened in these days: the totals, the series, the bar lists, the map and the week."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.tables import Site
from core.trends import (
    TOTALS,
    Granularity,
    StepMeasure,
    StepMeasures,
    TrendPeriod,
    Trends,
    step_measures,
    trends,
)
from pages.parts.charts import Selection, draw_chart
from pages.parts.texts import day_and_time_of, notice, small_text
from pages.trends.charts import country_map, heat_map, length_series, series
from pages.trends.lists import NOBODY_REMEMBERED, draw_lists
from pages.trends.reading import read_or_kept
from pages.trends.totals import draw_totals
from pages.trends.view import TrendView, current_view, keep_view

STEPS = {Granularity.HOUR: "Hour", Granularity.DAY: "Day", Granularity.WEEK: "Week"}
MOST_DAYS_BY_HOUR, MOST_DAYS_BY_DAY = 2, 92

_STEP, _MEASURE, _MAP_PRESSES = "trend step", "trend measure", "trend map presses"


def draw_overview(
    site: Site, view: TrendView, period: TrendPeriod, now: datetime, slot: DeltaGenerator
) -> None:
    """Draw the part, or in the slot why it cannot be read."""
    step = view.by if view.by in period.granularities() else usual_step(period)
    key = (site.identity, period, view.filters, step)
    told = read_or_kept(
        "trends shown",
        key,
        lambda db, tell: trends(db, site, period, now, view.filters, step, tell),
        site,
        slot,
    )
    if told is None:
        return
    if not told.totals["value"].iloc[0] and not told.totals["before"].iloc[0]:
        _say_nothing_there(view)
        return
    site_id = site.id or 0
    draw_totals(told, site_id)
    _say_compared(told, site)
    place = st.container()
    draw_lists(told, site)
    _draw_map_and_week(told, site_id)
    with place:  # last: what is asked for by itself holds up nothing else
        _draw_series(told, site, now)


def usual_step(period: TrendPeriod) -> Granularity:
    """The step that the series has where none is chosen: the one of some dozen to a hundred."""
    if period.length <= MOST_DAYS_BY_HOUR:
        return Granularity.HOUR
    return Granularity.DAY if period.length <= MOST_DAYS_BY_DAY else Granularity.WEEK


def _say_nothing_there(view: TrendView) -> None:
    if view.chosen():
        notice("Clear a filter, or choose other days.", title="No visit fits.")
    else:
        notice(
            "Choose other days. If no visit was ever recorded, see on the Sites page whether page views arrive.",
            title="No visit began in these days.",
        )


def _say_compared(told: Trends, site: Site) -> None:
    if told.compared_until < told.period.before().bounds.until_at:
        until = day_and_time_of(told.compared_until, site.time_zone)
        small_text(f"These days are not over: the period before is counted up to {until}.")

    if told.rows_since is not None:
        since = day_and_time_of(told.rows_since, site.time_zone)
        small_text(
            f"What is narrowed is counted from stored visits, and those that began before {since} are deleted for their age: "
            "they are missing here, and there is nothing to compare with. Without filters they are counted."
        )


def _draw_series(told: Trends, site: Site, now: datetime) -> None:
    steps = told.period.granularities()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = _choose_measure()
        if len(steps) > 1:
            _choose_step(steps, told.granularity, usual_step(told.period))
    label = TOTALS[measure]
    found = _series_of(told, site, now, measure, st.empty())
    if found is None:
        return
    frame, rows_since = found.frame, found.rows_since if told.filters.is_empty else None
    if frame[["now", "before"]].isna().all(axis=None):
        _say_nothing_known(told, rows_since)
        return
    if rows_since is not None:
        since = day_and_time_of(rows_since, site.time_zone)
        small_text(
            f"Hours are counted from stored visits; those before {since} are deleted for their age."
        )
    is_length = measure == StepMeasure.MEDIAN_SECONDS
    draw_chart(
        length_series.chart if is_length else series.chart,
        frame[["label"]].assign(now=_whole(frame["now"]), before=_whole(frame["before"])),
        f"{label} by {STEPS[told.granularity].lower()}, with the period before",
        title=f"{label} by {STEPS[told.granularity]}",
        name="series",
        site_ids=[site.id or 0],
        labels={
            "label": "When",
            "now": f"{label}, Seconds" if is_length else label,
            "before": "Period Before",
        },
    )


def _whole(numbers: Any) -> Any:
    """As they are told everywhere: of a length the seconds that have passed."""
    return numbers.astype("Float64").floordiv(1).astype("Int64")


def _say_nothing_known(told: Trends, rows_since: datetime | None) -> None:
    if rows_since is not None:
        notice(
            "The visits of these hours are deleted for their age. Of whole days the number is kept: choose more days.",
            title="By hour this is not known any more.",
        )
    elif told.filters.is_empty:
        notice(NOBODY_REMEMBERED, title="No visitor is remembered.")
    else:
        notice("None of these visits is of a remembered visitor.", title="No visitor to count.")


def _series_of(
    told: Trends, site: Site, now: datetime, measure: str, slot: DeltaGenerator
) -> StepMeasures | None:
    """A measure by the steps that are shown; None where it cannot be read, and why stands in the slot."""
    if measure in told.series:
        numbers = told.series
        frame = numbers.assign(now=numbers[measure], before=numbers[f"{measure}_before"])
        return StepMeasures(frame, None)
    chosen = StepMeasure(measure)
    step, filters = told.granularity, told.filters
    return read_or_kept(
        "trend steps shown",
        (site.identity, told.period, filters, step, chosen),
        lambda db, tell: step_measures(
            db, site, told.period, now, chosen, step, filters, progress=tell
        ),
        site,
        slot,
    )


def _choose_measure() -> str:
    chosen = st.segmented_control(
        "Number",
        list(TOTALS),
        format_func=TOTALS.__getitem__,
        default="visits",
        required=True,
        key=_MEASURE,
        persist_state="session",
    )
    return chosen or "visits"


def _choose_step(steps: list[Granularity], shown: Granularity, usual: Granularity) -> None:
    def choose() -> None:
        chosen = st.session_state[_STEP]
        keep_view(replace(current_view(), by=None if chosen == usual else chosen))

    st.session_state[_STEP] = shown
    st.segmented_control(
        "By", steps, format_func=STEPS.__getitem__, required=True, key=_STEP, on_change=choose
    )


def _draw_map_and_week(told: Trends, site_id: int) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        _draw_map(told, site_id)
    with right:
        draw_chart(
            heat_map.chart,
            told.heat_map[["weekday_label", "hour", "visits"]],
            "Visits by weekday and hour of the site's time: the more, the stronger the colour",
            title="Hours of the Week",
            name="week",
            site_ids=[site_id],
            labels={"weekday_label": "Day", "hour": "Hour", "visits": "Visits"},
        )


def _draw_map(told: Trends, site_id: int) -> None:
    def on_select(selection: Selection) -> None:
        points = selection.get(country_map.PRESSED)
        country = points[0].get("value") if points else None
        if isinstance(country, str):
            st.session_state[_MAP_PRESSES] = st.session_state.get(_MAP_PRESSES, 0) + 1
            keep_view(current_view().toggled("country", country))

    known = told.countries[told.countries["value"].isin(country_map.countries())]
    draw_chart(
        country_map.chart,
        known[["value", "label", "visits"]],
        "A map of the world: the more visits from a country, the stronger its colour; "
        "a press on one narrows all cards, as one in Countries does",
        title="Map",
        name="map",
        site_ids=[site_id],
        labels={"label": "Country", "visits": "Visits"},
        number=st.session_state.get(_MAP_PRESSES, 0),
        on_select=on_select,
    )
    if missing := int(told.countries["visits"].sum() - known["visits"].sum()):
        visits = "1 visit is" if missing == 1 else f"{missing:,} visits are"
        small_text(
            f"{visits} from a country that is unknown, or too small for this map: see Countries."
        )
