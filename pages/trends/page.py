"""Trends: what happened on a site in some days, its funnel, and its chats beside purchases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from core.moment import utc_now
from core.tables import Site
from core.trends import TrendPeriod
from core.visits.calendar import local_day
from pages.parts.notices import draw_fault, draw_unavailable
from pages.parts.site_choice import choose_site, chosen_site, draw_other_site, requested_key
from pages.parts.snapshots import latest_sites
from pages.parts.texts import day_of, heading, notice, small_text
from pages.parts.title import draw_title
from pages.trends.chats_part import draw_chats
from pages.trends.chips import draw_chips
from pages.trends.funnel_part import draw_funnel
from pages.trends.overview import draw_overview
from pages.trends.view import (
    OF_ANY_SITE,
    PARTS,
    RANGES,
    Range,
    TrendPart,
    TrendView,
    current_view,
    keep_view,
)

TITLE = "Trends"
_LOOK = Path(__file__).with_name("trends.css")
_RANGE, _DAYS, _PART = "trend range", "trend days", "trend part"


def draw_page() -> None:
    """Draw the chosen site's trends, in its own time zone."""
    now = utc_now()
    snapshot = latest_sites(now, requested_key())
    site = chosen_site(snapshot.sites or ())
    if snapshot.sites is None or (site is None and snapshot.fault):
        draw_unavailable(snapshot.fault, TITLE)
        return
    if site is None:
        draw_title(TITLE)
        heading(TITLE)
        notice("Add a site first, or ask an admin for one.", title="There is no site for you.")
        return
    draw_title(f"{TITLE} · {site.name}")
    st.html(_LOOK)
    view = current_view()
    _draw_header(snapshot.sites, site, view)
    draw_other_site(site)
    period = view.period(site.time_zone, now)
    _say_period(period, snapshot.sites)
    if not site.tracking_enabled:
        notice("Visits from now on are not recorded.", title="Tracking is off for this site.")
    draw_chips()
    if snapshot.fault:
        draw_fault(snapshot.fault)
    _draw_parts(site, view, period, now)


def _draw_header(sites: Sequence[Site], site: Site, view: TrendView) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="header"):
        with st.container(gap=None):
            heading(TITLE, above=site.name)
        with st.container(horizontal=True, width="content"):
            choose_site(sites, site, keep=OF_ANY_SITE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _choose_range(view)
        if view.range is Range.CUSTOM:
            _choose_days(site, view)


def _choose_range(view: TrendView) -> None:
    def choose() -> None:
        keep_view(replace(current_view(), range=Range(st.session_state[_RANGE]), by=None))

    st.session_state[_RANGE] = view.range
    st.segmented_control(
        "Days",
        list(RANGES),
        format_func=RANGES.__getitem__,
        required=True,
        key=_RANGE,
        on_change=choose,
        label_visibility="collapsed",
    )


def _choose_days(site: Site, view: TrendView) -> None:
    def choose() -> None:
        chosen: Any = st.session_state[_DAYS]
        if len(chosen) == 2:  # else the second day is still to be chosen
            first, last = chosen
            keep_view(replace(current_view(), first=first, last=last, by=None))

    newest = local_day(site.time_zone, utc_now())
    period = view.period(site.time_zone, utc_now())
    chosen: tuple[date, ...] = st.session_state.get(_DAYS, ())
    if len(chosen) != 1:
        st.session_state[_DAYS] = (period.first, period.last)
    st.date_input(
        "First and last day",
        max_value=newest,
        format="YYYY-MM-DD",
        key=_DAYS,
        on_change=choose,
        width=260,
        label_visibility="collapsed",
    )


def _say_period(period: TrendPeriod, sites: Sequence[Site]) -> None:
    days = _days_text(period)
    one = " Trends tell of one site at a time." if len(sites) > 1 else ""
    small_text(
        f"{days}, beside {_days_text(period.before())}. Days are in {period.time_zone}.{one}"
    )


def _days_text(period: TrendPeriod) -> str:
    first, last = day_of(period.first), day_of(period.last)
    return first if first == last else f"{first} to {last}"


def _draw_parts(site: Site, view: TrendView, period: TrendPeriod, now: datetime) -> None:
    def choose() -> None:
        words = {label: part for part, label in PARTS.items()}
        keep_view(replace(current_view(), part=words[st.session_state[_PART]]))

    st.session_state[_PART] = PARTS[view.part]
    tabs = st.tabs(list(PARTS.values()), key=_PART, on_change=choose)
    draw = {
        TrendPart.OVERVIEW: draw_overview,
        TrendPart.FUNNEL: draw_funnel,
        TrendPart.CHATS: draw_chats,
    }
    place = tabs[list(PARTS).index(view.part)]
    with place:
        # The place for progress stays while it is empty, so that nothing below it is drawn again.
        draw[view.part](site, view, period, now, st.empty())


draw_page()
