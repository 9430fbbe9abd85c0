"""Visitor Monitor: who is on the site right now."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.moment import utc_now
from core.tables import Site
from pages.invite.dialog import draw_dialog
from pages.live.breakdowns import draw_breakdowns
from pages.live.cards import draw_cards
from pages.live.data_tab import draw_data
from pages.live.visitors import draw_visitors
from pages.live.welcome import draw_welcome
from pages.parts.chat.component import draw_chat_pulse
from pages.parts.notices import draw_fault, draw_unavailable
from pages.parts.site_choice import choose_site, chosen_site, requested_key
from pages.parts.snapshots import PictureSnapshot, latest_picture, latest_sites
from pages.parts.table.component import Clock
from pages.parts.texts import heading, notice, small_text, time_of

TRACKING_OFF = "Tracking is off for this site."

REFRESHES = {2: "2 s", 5: "5 s", 10: "10 s", 30: "30 s", 60: "60 s", 0: "Paused"}
"""The intervals that an agent can choose, in seconds; 0: never."""


def draw_page() -> None:
    """Find the site that is meant, then draw it at every refresh."""
    snapshot = latest_sites(utc_now(), requested_key())
    site = chosen_site(snapshot.sites or ())
    if snapshot.sites is None or site is None:
        draw_unavailable(snapshot.fault)
        return
    every = _draw_header(snapshot.sites, site)
    if not site.tracking_enabled:
        if snapshot.fault:
            draw_fault(snapshot.fault)
        _draw_tracking_off(site)
        return
    st.fragment(_draw_live, run_every=every or None)(site, is_paused=not every)
    draw_dialog(site)


def _draw_header(sites: Sequence[Site], site: Site) -> int:
    """Draw the title and the choices; returns the seconds between two refreshes."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="header"):
        with st.container(gap=None):
            heading("Visitor Monitor", above=site.name)
        with st.container(horizontal=True, width="content"):
            choose_site(sites, site)
            return st.selectbox(
                "Refresh",
                list(REFRESHES),
                format_func=REFRESHES.__getitem__,
                index=list(REFRESHES).index(30),
                key="refresh",
                persist_state="session",
                width=112,
            )


def _draw_tracking_off(site: Site) -> None:
    notice(
        "Its visitors are not recorded. Switch it on in the site's settings.", title=TRACKING_OFF
    )
    st.page_link(
        "sites/page.py",
        label="Open the site's settings",
        icon=":material/settings:",
        query_params={"site": site.key},
    )


def _draw_live(site: Site, *, is_paused: bool) -> None:
    now = utc_now()
    newest = latest_sites(now).find(site.key)
    if newest is not None and newest.tracking_enabled != site.tracking_enabled:
        st.rerun()
    # Each part keeps its place even when it is empty, so that nothing below it is drawn again.
    pulse, fault = st.empty(), st.empty()
    with pulse:
        revision = 0 if is_paused else draw_chat_pulse(site)
    snapshot = latest_picture(site, now, revision)
    if snapshot.picture is None:
        draw_fault(snapshot.fault)
        return
    if snapshot.fault:
        with fault.container():
            draw_fault(snapshot.fault, since=time_of(snapshot.picture.as_of, site.time_zone))
    picture = snapshot.picture
    _draw_moment(snapshot, site, is_paused)
    if picture.days["visits"].sum() + picture.cards.this_month + picture.cards.online == 0:
        draw_welcome(site)
        return
    draw_cards(picture, site)
    draw_breakdowns(picture, site)
    table, frame = st.tabs(["Table", "Data"], key="visitors_shown", on_change="rerun")
    clock = Clock(
        age=(now - picture.as_of).total_seconds(), ticking=not (is_paused or snapshot.fault)
    )
    if table.open:
        with table:
            draw_visitors(picture, site, clock)
    if frame.open:
        with frame:
            draw_data(picture, site)


def _draw_moment(snapshot: PictureSnapshot, site: Site, is_paused: bool) -> None:
    assert snapshot.picture is not None
    paused = " · paused" if is_paused else ""
    small_text(
        f"Updated {time_of(snapshot.picture.as_of, site.time_zone)} ({site.time_zone}){paused}"
    )


draw_page()
