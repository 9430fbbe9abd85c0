"""The totals in a row, each beside that of the period before."""

from __future__ import annotations

from datetime import timedelta
from html import escape
from math import isnan

import streamlit as st

from core.trends import Trends
from core.visits.labels import duration_label
from pages.parts.shown_data import draw_shown_data

LABELS = {"label": "Number", "value": "This Period", "before": "Period Before"}

RULES = {
    "visits": "Visits that began in these days.",
    "page_views": "Pages that were shown in these visits.",
    "visitors": "Different visitors, where the site remembers them.",
    "median_seconds": "Half of the visits were shorter, half longer: from the first to the last sign of life.",
    "one_page_visits": "Visits that saw one page only.",
}
NONE = "–"


def draw_totals(trends: Trends, site_id: int) -> None:
    """Draw a number for each of the totals, and what it was before."""
    visits = trends.totals.set_index("measure")["value"]["visits"]
    columns = trends.totals[["measure", "label", "value", "before"]]
    cards = [
        _card(measure, label, now, earlier, visits)
        for measure, label, now, earlier in columns.itertuples(index=False, name=None)
    ]
    with st.container(gap="xsmall"):
        st.html(f'<dl class="totals">{"".join(cards)}</dl>')
        draw_shown_data(
            lambda: trends.totals, "totals", title="Totals", site_ids=[site_id], labels=LABELS
        )


def _card(measure: str, label: str, now: float, earlier: float, visits: float) -> str:
    value, before = _known(now), _known(earlier)
    change = change_text(value, before)
    notes: list[str] = []
    if measure == "one_page_visits" and value is not None and visits > 0:
        notes.append(f"{value / visits:.0%} of visits")
    notes += [f"{change} from {number_text(measure, before)}"] if change else []
    return (
        f'<div title="{escape(RULES[measure])}"><dt>{escape(label)}</dt>'
        f"<dd><strong>{escape(number_text(measure, value))}</strong>"
        f"<span>{escape(', '.join(notes))}</span></dd></div>"
    )


def _known(value: float) -> float | None:
    return None if isnan(value) else value


def number_text(measure: str, value: float | None) -> str:
    """The number as it is shown: a length of time for the median, "–" where there is none."""
    if value is None:
        return NONE
    if measure == "median_seconds":
        return duration_label(timedelta(seconds=value))
    return f"{value:,.0f}"


def change_text(value: float | None, before: float | None) -> str:
    """ "+12%", "−8%", "±0%"; "" where there is nothing to compare with."""
    if value is None or not before:
        return ""
    change = round((value - before) / before * 100)
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    return f"{sign}{abs(change):,}%"
