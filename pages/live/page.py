"""Visitor Monitor: who is on the site right now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.accounts.identity import Role
from core.frames import Picture
from core.moment import utc_now
from core.tables import Site
from pages.invite.dialog import draw_dialog
from pages.live.breakdowns import draw_breakdowns
from pages.live.cards import draw_cards
from pages.live.data_tab import draw_data
from pages.live.opened_visitor import draw_opened_visitor
from pages.live.playing import STEP, played_moment, playing, stop
from pages.live.timeline import draw_timeline
from pages.live.view import current_view, keep_view
from pages.live.visitors import draw_visitors
from pages.live.welcome import draw_no_site, draw_welcome
from pages.parts.address import address
from pages.parts.collector_notice import latest_silence
from pages.parts.notices import draw_fault, draw_unavailable
from pages.parts.past_moment import AT, NO_SUCH_MOMENT, asked_moment, choose_moment
from pages.parts.past_notice import draw_not_known, past_notice
from pages.parts.past_pictures import past_known_since, past_picture
from pages.parts.pulse.pulse import MomentLine, draw_pulse, pushed_revision
from pages.parts.site_choice import (
    ALL_SITES,
    choose_site,
    chosen_site,
    default_site,
    draw_other_site,
    requested_key,
    sites_shown,
)
from pages.parts.snapshots import PictureSnapshot, clear_sites, latest_picture, latest_sites
from pages.parts.table.component import Clock
from pages.parts.texts import day_and_time_of, heading, notice, subheading, time_of
from pages.parts.title import draw_title
from pages.parts.turn import turn
from pages.parts.viewer import may

TRACKING_OFF = "Tracking is off for this site."

LIVE = "Live"
"""Drawn anew as soon as something has changed, and at its interval anyway."""

REFRESHES = {LIVE: 30, "2 s": 2, "5 s": 5, "10 s": 10, "30 s": 30, "60 s": 60, "Paused": 0}
"""What an agent can choose, and the seconds between two refreshes; 0: none. The first is the default."""

DATA = "Data"
"""The tab with all visitors as a data frame."""

TIMELINE_EVERY = 60
"""Seconds between two refreshes of the day by minute, while the page is live."""

_TAB_SHOWN = "tab shown last"


def draw_page() -> None:
    """Find the site that is meant, then draw it at every refresh."""
    snapshot = latest_sites(utc_now(), requested_key())
    site = chosen_site(snapshot.sites or (), or_all=True)
    if snapshot.sites is None or (site is None and snapshot.fault):
        draw_unavailable(snapshot.fault)
        return
    if site is None:
        draw_no_site()
        return
    keep_view(current_view())
    asked = asked_moment(site.time_zone, utc_now())
    refresh = _draw_header(snapshot.sites, site, is_live=asked.past is None)
    draw_other_site(site)
    if asked.fault:
        notice(asked.fault, title=NO_SUCH_MOMENT, kind="warn")
    sites = sites_shown(site, snapshot.sites)
    at = address().get(AT, "")
    if not site.tracking_enabled and asked.past is None:
        draw_title(site.name)
        if snapshot.fault:
            draw_fault(snapshot.fault)
        _draw_tracking_off(site)
        st.fragment(_draw_timeline)(site, sites, at)  # what was recorded before is still there
        return
    if asked.past is not None:
        is_played = playing() is not None
        st.fragment(_draw_past, run_every=STEP if is_played else None)(
            site, sites, asked.past, (at, is_played), st.empty()
        )
        return
    every = TIMELINE_EVERY if REFRESHES[refresh] else None
    st.fragment(_draw_timeline, run_every=every)(site, sites, at)
    st.fragment(_draw_live, run_every=REFRESHES[refresh] or None)(
        site, sites, refresh, snapshot.sites
    )
    for each in sites:
        draw_dialog(each)


def _draw_header(sites: Sequence[Site], site: Site, *, is_live: bool) -> str:
    """Draw the title and the choices; returns the chosen one of REFRESHES, of which the past has none."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="header"):
        with st.container(gap=None):
            heading("Visitor Monitor", above=site.name)
        with st.container(horizontal=True, width="content"):
            choose_site(sites, site, or_all=True)
            if not is_live:
                return LIVE
            return st.selectbox(
                "Refresh",
                list(REFRESHES),
                key="refresh",
                persist_state="session",
                width=170,
            )


def _draw_tracking_off(site: Site) -> None:
    if not may(Role.ADMIN):
        notice("Its visitors are not recorded. An admin can switch it on.", title=TRACKING_OFF)
        return
    notice(
        "Its visitors are not recorded. Switch it on in the site's settings.", title=TRACKING_OFF
    )
    st.page_link(
        "sites/page.py",
        label="Open the site's settings",
        icon=":material/settings:",
        query_params={"site": site.key},
    )


def _draw_live(site: Site, sites: Sequence[Site], refresh: str, offered: Sequence[Site]) -> None:
    revision = pushed_revision()
    newest = latest_sites(utc_now(), revision=revision, watched=site.key)
    if newest.sites is not None and _shown_of(newest.sites) != _shown_of(offered):
        st.rerun()
    snapshot = latest_picture(site, utc_now(), revision, every_row=_needs_every_row())
    # Another viewer's picture may be from just before the database went away.
    if not snapshot.fault:
        snapshot = replace(snapshot, fault=newest.fault)
    if snapshot.picture is None and not snapshot.fault:  # deleted since the sites were read
        clear_sites()
        st.rerun()
    if snapshot.picture is None:
        draw_fault(snapshot.fault)
        return
    interruption = _interruption(snapshot, site)
    with turn():
        clock = _draw_now(snapshot, snapshot.picture, site, sites, refresh, interruption)
    if not snapshot.picture.is_empty:
        draw_opened_visitor(sites, is_ticking=clock.ticking)


def _draw_now(
    snapshot: PictureSnapshot,
    picture: Picture,
    site: Site,
    sites: Sequence[Site],
    refresh: str,
    interruption: str,
) -> Clock:
    """Draw what waits for nothing; returns the clock by which it ages."""
    draw_title(f"{picture.cards.online:,} online · {site.name}")
    _draw_moment(picture.as_of, snapshot.revision, site, refresh, interruption)
    fault = st.empty()  # keeps its place, so that nothing below it is drawn again
    if snapshot.fault:
        with fault.container():
            draw_fault(snapshot.fault, since=time_of(picture.as_of, site.time_zone))
    clock = Clock(
        age=(utc_now() - picture.as_of).total_seconds(),
        ticking=bool(REFRESHES[refresh]) and not snapshot.fault,
    )
    if picture.is_empty:
        draw_welcome(default_site(sites) or site)
    else:
        _draw_picture(picture, site, sites, clock)
    return clock


def _draw_timeline(site: Site, sites: Sequence[Site], at: str) -> None:
    """Draw the day of the live page; `at` is what the address said when the page was drawn."""
    if address().get(AT, "") != at:
        st.rerun()
    draw_timeline(site, sites, None)


def _draw_past(
    site: Site,
    sites: Sequence[Site],
    asked: datetime,
    drawn_for: tuple[str, bool],
    head: DeltaGenerator,
) -> None:
    """Draw the moment that was asked for, or the one that is being played by now; nothing of it ticks.

    drawn_for: what the address said, and whether it was played, when the whole page was drawn.
    """
    played = playing()
    if (address().get(AT, ""), played is not None) != drawn_for:
        st.rerun()
    moment = played_moment(played) if played else asked
    if moment >= utc_now():
        stop()
        choose_moment(None, site.time_zone)
        st.rerun()
    head.html(past_notice(moment, site.time_zone))
    draw_title(f"{day_and_time_of(moment, site.time_zone)} · {site.name}")
    draw_timeline(site, sites, moment)
    fault = st.empty()
    since = past_known_since(sites)
    if since is not None and moment < since:
        stop()
        draw_not_known(since, site.time_zone)
        return
    snapshot = past_picture(site, sites, moment, every_row=_needs_every_row())
    if snapshot.fault:
        with fault.container():
            draw_fault(snapshot.fault)
    if snapshot.picture is None and not snapshot.fault:  # deleted since the sites were read
        clear_sites()
        st.rerun()
    if snapshot.picture is None:
        return
    if since is None and snapshot.picture.is_empty:
        draw_not_known(None, site.time_zone)
        return
    _draw_picture(snapshot.picture, site, sites, Clock(), moment)
    draw_opened_visitor(sites, is_ticking=False, moment=moment)


def _draw_picture(
    picture: Picture,
    site: Site,
    sites: Sequence[Site],
    clock: Clock,
    moment: datetime | None = None,
) -> None:
    """Draw the numbers, the table and the breakdowns; moment: the past one that they are of, None: they are live."""
    draw_cards(picture, site)
    # Side by side where the page is wide: see pages/look.css.
    with st.container(key="live_body"):
        with st.container(key="live_visitors", gap="xsmall"):
            _draw_active_visitors(picture, site, sites, clock, moment)
        draw_breakdowns(picture, site)


def _needs_every_row() -> bool:
    """Whether all visitors are read, and not only those of the table's first page; see docs/charts.md."""
    return current_view().needs_every_row or _tab_shown() == DATA


def _tab_shown() -> str:
    """Streamlit forgets the tab when the page is left."""
    return st.session_state.get("visitors_shown") or st.session_state.get(_TAB_SHOWN, "Table")


def _shown_of(sites: Sequence[Site]) -> list[tuple[str, str, str, bool]]:
    """What the page shows of the sites outside of the live part: its title, its chooser, its clock."""
    return [(each.key, each.name, each.time_zone, each.tracking_enabled) for each in sites]


def _draw_active_visitors(
    picture: Picture, site: Site, sites: Sequence[Site], clock: Clock, moment: datetime | None
) -> None:
    subheading("Active Visitors" if moment is None else "Active Visitors then")
    st.session_state.setdefault("visitors_shown", _tab_shown())
    table, frame = st.tabs(["Table", DATA], key="visitors_shown", on_change="rerun")
    st.session_state[_TAB_SHOWN] = st.session_state["visitors_shown"]
    if table.open:
        with table:
            draw_visitors(picture, site, sites, clock, moment)
    if frame.open:
        with frame:
            draw_data(picture, site)


def _draw_moment(
    as_of: datetime, revision: int, site: Site, refresh: str, interruption: str
) -> None:
    """Draw which moment the page shows, and what has it drawn anew."""
    moment = f"{time_of(as_of, site.time_zone)} ({site.time_zone})"
    line = MomentLine(moment, site.time_zone, REFRESHES[refresh], interruption)
    watched = "" if site.key == ALL_SITES else site.key
    draw_pulse(watched, revision, is_pushed=refresh == LIVE, line=line)


def _interruption(snapshot: PictureSnapshot, site: Site) -> str:
    """Since when and why nothing new can come; "" while it can."""
    if snapshot.fault and snapshot.picture:
        since = time_of(snapshot.picture.as_of, site.time_zone)
        return f"Not live since {since}: the database does not answer."
    silence = latest_silence(utc_now())
    if silence is None:
        return ""
    since = f" since {time_of(silence.since, site.time_zone)}" if silence.since else ""
    return f"Not live{since}: no visitor is recorded."


draw_page()
