"""The visitor of a conversation: who it is and what they do, as far as an agent needs to know it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.accounts.identity import Role
from core.chat.store import find_conversation
from core.database import Connection
from core.frames import Journey, visitor_at
from core.moment import utc_now
from core.tables import Site
from pages.parts.last_read import read_or_last
from pages.parts.notices import draw_fault
from pages.parts.snapshots import is_deleted
from pages.parts.texts import small_text, time_of
from pages.visitor.panel import draw_visitor

GONE = "What this visitor did on the site is deleted by now."


@dataclass(frozen=True)
class Partner:
    """Whom the agent talks with. journey: None when the visit is deleted."""

    journey: Journey | None


def draw_visitor_panel(site: Site, conversation_id: str) -> None:
    """Draw the visitor's facts and journey as they are now."""
    if is_deleted(site, utc_now()):
        st.rerun()
    key = (site.key, conversation_id)
    partner, fault = read_or_last(
        "partner", key, Role.AGENT, lambda db: _load(db, site, conversation_id), site
    )
    journey = partner and partner.journey
    if fault:
        draw_fault(fault, since=time_of(journey.as_of, site.time_zone) if journey else "")
    if journey is not None:
        draw_visitor(journey, site, key="chat_page_views", is_ticking=not fault)
    elif partner is not None:
        small_text(GONE)


def _load(db: Connection, site: Site, conversation_id: str) -> Partner | None:
    """None when there is no such conversation."""
    assert site.id is not None
    found = find_conversation(db, site.id, conversation_id)
    now = utc_now()
    return found and Partner(visitor_at(db, site, found.visit_id, now, now))
