"""Chats: the conversations that are open, and those of the past."""

from __future__ import annotations

import streamlit as st

from core.moment import utc_now
from pages.chats.open_tab import draw_open
from pages.chats.past_tab import draw_past
from pages.parts.agent import current_agent, draw_name_form
from pages.parts.notices import draw_fault, draw_unavailable
from pages.parts.site_choice import requested_key
from pages.parts.snapshots import SitesSnapshot, latest_sites
from pages.parts.texts import heading, notice, small_text, subheading
from pages.parts.title import draw_title

INTRODUCTION = (
    "Invite visitors from Visitor Monitor and talk with them here. "
    "Give the name that they will see beside your messages; you can change it in the sidebar."
)
AWAY = (
    "Unless a colleague is Available, visitors can only leave a message and rules invite nobody. "
    "You can still invite and answer; the switch is in the sidebar."
)


def draw_page() -> None:
    """Draw the open chats live, and past ones by search."""
    snapshot = latest_sites(utc_now(), requested_key())
    if snapshot.sites is None:
        draw_unavailable(snapshot.fault, "Chats")
        return
    draw_title("Chats")
    heading("Chats")
    if snapshot.fault:
        draw_fault(snapshot.fault)
    default = "Past" if "past" in st.query_params else "Open"
    now, before = st.tabs(["Open", "Past"], default=default, key="chats_shown", on_change="rerun")
    if now.open:
        with now:
            _draw_open(snapshot)
    if before.open:
        with before:
            draw_past(snapshot.sites)


def _draw_open(snapshot: SitesSnapshot) -> None:
    known = current_agent()
    if known.fault and known.agent is None:
        if not snapshot.fault:
            draw_fault(known.fault)
        return
    agent = known.agent
    if agent is None:
        with st.container(border=True, width=520):
            subheading("Who are you?")
            small_text(INTRODUCTION)
            agent = draw_name_form("chats naming")
        if agent is None:
            return
        st.rerun()
    if not agent.is_available:
        notice(AWAY, title="You are Away.")
    draw_open(agent, snapshot.sites or ())


draw_page()
