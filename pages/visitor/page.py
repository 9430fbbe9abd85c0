"""One visitor: who it is, where from, and every page in order; live while the visit lasts."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.database import Connection
from core.frames import Journey, visitor_journey
from core.moment import utc_now
from core.tables import Site
from pages.invite.invitation import fits
from pages.invite.invitation_state import InvitationState, read_invitation_state
from pages.parts.chat.component import draw_chat_pulse
from pages.parts.facts import draw_facts
from pages.parts.last_read import read_or_last
from pages.parts.notices import draw_fault, draw_unavailable
from pages.parts.site_choice import requested_key
from pages.parts.snapshots import latest_sites
from pages.parts.table.component import Clock, draw_table
from pages.parts.texts import heading, small_text, subheading, time_of
from pages.parts.transcript import Transcript
from pages.visitor.chat_card import draw_chat_card
from pages.visitor.page_view_columns import PAGE_VIEW_COLUMNS
from pages.visitor.past_chats import draw_past_chats, read_past_chats
from pages.visitor.visit_text import arrival, name_of, state_of, who

REFRESH = 5
"""Seconds between two refreshes of a visit that has not ended."""


@dataclass(frozen=True)
class VisitDetails:
    """A visit at one moment, with its chats; all from one snapshot."""

    journey: Journey
    invitation_state: InvitationState
    past_chats: list[Transcript]


@dataclass(frozen=True)
class VisitSnapshot:
    """The visit as it was last read, if it was; `fault` says why it is out of date."""

    seen: VisitDetails | None
    fault: str = ""


def draw_page() -> None:
    """Find the visit that is meant, then draw it again for as long as it lasts."""
    snapshot = latest_sites(utc_now(), requested_key())
    if snapshot.sites is None:
        draw_unavailable(snapshot.fault)
        return
    site = snapshot.find(requested_key())
    visit_id = st.query_params.get("visit", "")
    if snapshot.tracked:
        _draw_back(site)
    found = _find(site, visit_id) if site else VisitSnapshot(None)
    if site is None or (found.seen is None and not found.fault):
        _draw_no_visit()
        return
    goes_on = found.seen is None or found.seen.journey.is_live
    run_every = REFRESH if goes_on or found.fault else None
    head = st.container()
    left, right = st.columns([2, 1], gap="medium")
    with right:
        draw_chat_card(site, visit_id)
    with left:
        st.fragment(_draw_visit, run_every=run_every)(site, visit_id, goes_on, head)


def _draw_back(site: Site | None) -> None:
    st.page_link(
        "live/page.py",
        label="Visitor Monitor",
        icon=":material/arrow_back:",
        query_params={"site": site.key} if site else None,
    )


def _draw_no_visit() -> None:
    heading("No such visit")
    small_text(
        "The address names no visit of this installation. Visits are deleted when the retention "
        "time (MONITOR_RETENTION_DAYS) is over."
    )


def _find(site: Site, visit_id: str) -> VisitSnapshot:
    key = (site.key, visit_id)
    return VisitSnapshot(*read_or_last("visit", key, lambda db: _load(db, site, visit_id)))


def _load(db: Connection, site: Site, visit_id: str) -> VisitDetails | None:
    now = utc_now()
    journey = visitor_journey(db, site, visit_id, now)
    invitation_state = read_invitation_state(db, site, visit_id, now)
    if journey is None or invitation_state is None:
        return None
    past_chats = read_past_chats(db, invitation_state.conversations)
    return VisitDetails(journey, invitation_state, past_chats)


def _draw_visit(site: Site, visit_id: str, goes_on: bool, head: DeltaGenerator) -> None:
    draw_chat_pulse(site)
    found = _find(site, visit_id)
    seen = found.seen
    is_deleted = seen is None and not found.fault
    if is_deleted or (
        seen and (not fits(seen.invitation_state) or (goes_on and not seen.journey.is_live))
    ):
        st.rerun()
    with head:
        _draw_head(found, site)
    if seen is None:
        return
    journey = seen.journey
    _draw_numbers(journey)
    left, right = st.columns(2)
    with left:
        draw_facts("Visitor", who(journey))
    with right:
        draw_facts("Arrival", arrival(journey, site.time_zone))
    draw_past_chats(seen.past_chats, site)
    _draw_page_views(journey, site, is_ticking=not found.fault)
    _draw_neighbours(journey, site)


def _draw_head(found: VisitSnapshot, site: Site) -> None:
    journey = found.seen and found.seen.journey
    if found.fault:
        since = time_of(journey.as_of, site.time_zone) if journey else ""
        draw_fault(found.fault, since=since)
    if journey:
        heading(name_of(journey), above=site.name)
        small_text(state_of(journey, site.time_zone))


def _draw_numbers(journey: Journey) -> None:
    listed = journey.listed
    with st.grid(4, min_column_width=140):
        st.metric("Time on Site", listed["time_on_site_label"], border=True)
        st.metric("Pages", f"{listed['page_count']:,}", border=True)
        st.metric("Activity", listed["activity_label"] if journey.is_live else "Over", border=True)
        st.metric("Context", listed["page_context"] or "–", border=True)


def _draw_page_views(journey: Journey, site: Site, *, is_ticking: bool) -> None:
    views = journey.page_views
    subheading("Pages in order")
    small_text(f"Times are in {site.time_zone}. Time on Page counts while the page is in view.")
    rows = views.assign(
        id=views.index.astype("str"),
        time=[time_of(moment, site.time_zone) for moment in views["viewed_at"]],
    )
    draw_table(
        rows[["id", "time", "path", "title", "page_context", "seconds", "in_view"]],
        PAGE_VIEW_COLUMNS,
        key="page_views",
        name="Pages in order",
        layout="list cards still",
        empty="No page view is known of this visit.",
        clock=Clock(
            age=(utc_now() - journey.as_of).total_seconds(),
            ticking=is_ticking and journey.is_live,
        ),
    )


def _draw_neighbours(journey: Journey, site: Site) -> None:
    follows = [journey.follows] if journey.follows else []
    for label, visits in {
        "The visit before this one": follows,
        "The visit after this one": journey.followed_by,
    }.items():
        for visit in visits:
            st.page_link(
                "visitor/page.py", label=label, query_params={"site": site.key, "visit": visit.id}
            )


draw_page()
