"""The funnel: how many visits came to each step, where they left, and how long they took."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
from streamlit.delta_generator import DeltaGenerator

from core.accounts.identity import Role
from core.tables import Site
from core.trends import Funnel, TrendPeriod, funnel, read_funnel_steps
from core.visits.labels import duration_label
from pages.parts.charts import draw_chart
from pages.parts.shown_data import draw_shown_data
from pages.parts.texts import notice, plural, small_text
from pages.parts.viewer import may
from pages.trends.charts import funnel_steps
from pages.trends.funnel_form import draw_funnel_form
from pages.trends.number_table import draw_number_table
from pages.trends.reading import read_or_kept
from pages.trends.view import TrendView

NONE = "–"
RULE = (
    "A visit reaches a step when it sees one of its pages after the step before. "
    "Visits that are deleted after the days for which they are kept are not counted here."
)
STEP_LABELS = {
    "label": "Step",
    "visits": "Visits",
    "share": "Share of All",
    "share_of_before": "Share of Step Before",
    "dropped": "Left Before It",
    "median_seconds": "Median Seconds from Step Before",
}


def draw_funnel(
    site: Site, view: TrendView, period: TrendPeriod, now: datetime, slot: DeltaGenerator
) -> None:
    """Draw the part, or in the slot why it cannot be read."""
    steps = tuple(read_funnel_steps(site.funnel_steps))
    told = read_or_kept(
        "funnel shown",
        (site.identity, period, view.filters, steps),
        lambda db, tell: funnel(db, site, period, steps, view.filters, tell),
        site,
        slot,
    )
    if told is not None and told.visits:
        _draw_steps(told, site)
        _draw_sources(told, site)
    elif told is not None:
        notice("Clear a filter, or choose other days.", title="There is no visit to count.")
    small_text(RULE)
    if may(Role.ADMIN):
        draw_funnel_form(site, steps)


def _draw_steps(told: Funnel, site: Site) -> None:
    small_text(f"Of {plural(told.visits, 'visit')}:")
    shares = told.steps["share"]
    frame = told.steps.assign(
        label=_numbered(told.steps["label"].tolist()),
        told=[
            f"{visits:,} ({share:.1%})"
            for visits, share in zip(told.steps["visits"], shares, strict=True)
        ],
    )
    draw_chart(
        funnel_steps.chart,
        frame,
        "How many visits came to each step of the funnel",
        title="Steps",
        name="funnel",
        site_ids=[site.id or 0],
        labels=STEP_LABELS,
    )
    draw_number_table(
        "From step to step",
        ("Step", "Visits", "Of Step Before", "Left Before It", "Median Time from Step Before"),
        [
            (label, f"{visits:,}", f"{share:.1%}", f"{dropped:,}", _time(seconds))
            for label, visits, share, dropped, seconds in told.steps[
                ["label", "visits", "share_of_before", "dropped", "median_seconds"]
            ].itertuples(index=False)
        ],
    )


SHOWN_SOURCES = 20
"""Sources in the table on the page; Show the data has all."""


def _draw_sources(told: Funnel, site: Site) -> None:
    """Sources of which a visit came to the first step."""
    frame = told.by_source[told.by_source["step_1"] > 0]
    if frame.empty:
        return
    names = [f"step_{number}" for number in told.steps["step"]]
    shown = frame.head(SHOWN_SOURCES)
    labels = told.steps["label"].tolist()
    draw_number_table(
        "By source",
        ("Source", *labels, "First to Last"),
        [
            (label, *(f"{number:,}" for number in numbers), f"{share:.1%}")
            for label, share, *numbers in shown[["label", "share", *names]].itertuples(index=False)
        ],
    )
    draw_shown_data(
        lambda: told.by_source,
        "funnel-by-source",
        title="Funnel by source",
        site_ids=[site.id or 0],
        labels={"label": "Source", **dict(zip(names, _numbered(labels), strict=True))},
    )


def _numbered(labels: list[str]) -> list[str]:
    """Two steps may have one name, two columns not."""
    return [f"{number}. {label}" for number, label in enumerate(labels, 1)]


def _time(seconds: float) -> str:
    return NONE if pd.isna(seconds) else duration_label(timedelta(seconds=seconds))
