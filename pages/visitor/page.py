"""One visitor: who it is, where from, and every page in order; live while the visit lasts."""

from __future__ import annotations

from datetime import datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.accounts.identity import Role
from core.frames import Journey
from core.moment import utc_now
from core.tables import Site
from pages.invite.invitation import fits
from pages.parts.facts import draw_facts
from pages.parts.notices import draw_fault, draw_unavailable
from pages.parts.past_moment import NO_SUCH_MOMENT, AskedMoment, asked_moment, at_parameter
from pages.parts.past_notice import past_notice
from pages.parts.pulse.pulse import draw_pulse
from pages.parts.site_choice import requested_key, site_parameter
from pages.parts.snapshots import is_deleted, latest_sites
from pages.parts.texts import heading, notice, small_text, subheading, time_of
from pages.parts.title import draw_title
from pages.parts.viewer import may
from pages.visitor.chat_card import draw_chat_card
from pages.visitor.page_views import draw_page_views
from pages.visitor.past_chats import draw_past_chats
from pages.visitor.stored_data import draw_forgotten, draw_stored_data
from pages.visitor.visit_snapshot import VisitDetails, VisitSnapshot, latest_visit
from pages.visitor.visit_text import arrival, name_of, state_of, updated, who

PAGES = "Pages in order"

REFRESH = 5
"""Seconds between two refreshes of a visit that has not ended."""


def draw_page() -> None:
    """Find the visit that is meant, then draw it again for as long as it lasts."""
    snapshot = latest_sites(utc_now(), requested_key())
    if snapshot.sites is None:
        draw_unavailable(snapshot.fault)
        return
    site = snapshot.find(requested_key())
    visit_id = st.query_params.get("visit", "")
    asked = asked_moment(site.time_zone, utc_now()) if site else AskedMoment()
    if snapshot.tracked:
        _draw_back(asked.past)
    if asked.fault:
        notice(asked.fault, title=NO_SUCH_MOMENT, kind="warn")
    if site and asked.past:
        _draw_then(site, visit_id, asked.past)
        return
    found = latest_visit(site, visit_id) if site else VisitSnapshot(None)
    if site is None or (found.seen is None and not found.fault):
        if site is None or not draw_forgotten(site, visit_id):
            _draw_no_visit()
        return
    goes_on = found.seen is None or found.seen.journey.is_live
    run_every = REFRESH if goes_on or found.fault else None
    head = st.container()
    shown = st.container()
    if may(Role.AGENT):
        shown, right = st.columns([2, 1], gap="medium")
        with right:
            draw_chat_card(site, visit_id)
    with shown:
        st.fragment(_draw_visit, run_every=run_every)(site, visit_id, goes_on, head)
        draw_stored_data(site, visit_id)


def _draw_back(moment: datetime | None) -> None:
    st.page_link(
        "live/page.py",
        label="Visitor Monitor",
        icon=":material/arrow_back:",
        # The list may be in another time zone than the visit.
        query_params=site_parameter() | at_parameter(moment, "UTC"),
    )


def _draw_no_visit() -> None:
    draw_title("No such visit")
    heading("No such visit")
    small_text(
        "The address names no visit that is known here. Visits are deleted when the time is over "
        "for which they are kept, and when their visitor was forgotten."
    )


def _draw_then(site: Site, visit_id: str, moment: datetime) -> None:
    """Draw the visit as it stood at the past moment: nothing of it changes, and nothing can be done."""
    st.html(past_notice(moment, site.time_zone))
    st.page_link(
        "visitor/page.py",
        label="See the visit as it is now",
        icon=":material/update:",
        query_params={"site": site.key, "visit": visit_id},
    )
    found = latest_visit(site, visit_id, moment)
    if found.fault:
        draw_fault(found.fault)
    if found.seen is None and not found.fault:
        draw_title("No such visit")
        heading("No such visit then")
        small_text(
            "The visit had not begun at this moment, or it is not known here any more: visits are deleted when the "
            "time is over for which they are kept, and when their visitor was forgotten."
        )
    if found.seen is not None:
        journey = found.seen.journey
        draw_title(name_of(journey))
        heading(name_of(journey), above=site.name)
        small_text(state_of(journey, site.time_zone, is_past=True))
        _draw_details(found.seen, site, visit_id, moment)


def _draw_visit(site: Site, visit_id: str, goes_on: bool, head: DeltaGenerator) -> None:
    found = latest_visit(site, visit_id)
    seen = found.seen
    draw_pulse(site.key, seen.revision if seen else 0)
    is_gone = is_deleted(site, utc_now()) or (seen is None and not found.fault)
    chat = seen and seen.invitation_state
    if is_gone or (chat and not fits(chat)) or (seen and goes_on and not seen.journey.is_live):
        st.rerun()
    with head:
        _draw_head(found, site)
    if seen is not None:
        _draw_details(seen, site, visit_id, is_ticking=not found.fault)


def _draw_details(
    seen: VisitDetails,
    site: Site,
    visit_id: str,
    moment: datetime | None = None,
    *,
    is_ticking: bool = False,
) -> None:
    """Draw all below the name. moment: the past one at which the visit was read."""
    journey = seen.journey
    _draw_numbers(journey)
    left, right = st.columns(2)
    with left:
        draw_facts("Visitor", who(journey))
    with right:
        draw_facts("Arrival", arrival(journey, site.time_zone))
    draw_past_chats(seen.past_chats, site)
    subheading(PAGES)
    small_text(f"Times are in {site.time_zone}. Time on Page counts while the page is in view.")
    draw_page_views(
        journey,
        site,
        key="page_views",
        name=PAGES,
        is_ticking=is_ticking,
        is_past=moment is not None,
    )
    _draw_neighbours(journey, site, moment)
    small_text(f"Reference of this visit, for questions about its data: {visit_id}")


def _draw_head(found: VisitSnapshot, site: Site) -> None:
    journey = found.seen and found.seen.journey
    if found.fault:
        since = time_of(journey.as_of, site.time_zone) if journey else ""
        draw_fault(found.fault, since=since)
    if journey:
        draw_title(name_of(journey))
        heading(name_of(journey), above=site.name)
        small_text(state_of(journey, site.time_zone))
        small_text(updated(journey, site.time_zone))


def _draw_numbers(journey: Journey) -> None:
    listed = journey.listed
    with st.grid(4, min_column_width=140):
        st.metric("Time on Site", listed["time_on_site_label"], border=True)
        st.metric("Pages", f"{listed['page_count']:,}", border=True)
        st.metric("Activity", listed["activity_label"] if journey.is_live else "Over", border=True)
        st.metric("Context", listed["page_context"] or "–", border=True)


def _draw_neighbours(journey: Journey, site: Site, moment: datetime | None) -> None:
    follows = [journey.follows] if journey.follows else []
    for label, visits in {
        "The visit before this one": follows,
        "The visit after this one": journey.followed_by,
    }.items():
        for visit in visits:
            st.page_link(
                "visitor/page.py",
                label=label,
                query_params={
                    "site": site.key,
                    "visit": visit.id,
                    **at_parameter(moment, site.time_zone),
                },
            )


draw_page()
