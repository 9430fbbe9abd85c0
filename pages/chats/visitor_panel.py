"""The visitor of a conversation: who it is and what they do, as far as an agent needs to know it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.chat.store import find_conversation
from core.database import Connection
from core.frames import Journey, visitor_journey
from core.moment import utc_now
from core.tables import Site
from pages.parts.facts import draw_facts
from pages.parts.last_read import read_or_last
from pages.parts.notices import draw_fault
from pages.parts.table.component import Clock, draw_table
from pages.parts.texts import small_text, subheading, time_of
from pages.visitor.page_view_columns import PAGE_VIEW_COLUMNS
from pages.visitor.visit_text import arrival, name_of, state_of, who

LEFT_OUT = ("Name", "Visit")
"""Facts that the panel shows elsewhere. Facts without a value are left out too: there is little room."""

SHOWN = ("time", "path", "page_context", "seconds")
GONE = "The visit of this conversation is deleted: see MONITOR_RETENTION_DAYS."


@dataclass(frozen=True)
class Partner:
    """Whom the agent talks with. journey: None when the visit is deleted."""

    journey: Journey | None


def draw_visitor_panel(site: Site, conversation_id: str) -> None:
    """Draw the visitor's facts and journey as they are now."""
    key = (site.key, conversation_id)
    partner, fault = read_or_last("partner", key, lambda db: _load(db, site, conversation_id))
    journey = partner and partner.journey
    if fault:
        draw_fault(fault, since=time_of(journey.as_of, site.time_zone) if journey else "")
    if journey is not None:
        _draw_visit(journey, site, is_ticking=not fault)
    elif partner is not None:
        small_text(GONE)


def _load(db: Connection, site: Site, conversation_id: str) -> Partner | None:
    """None when there is no such conversation."""
    assert site.id is not None
    found = find_conversation(db, site.id, conversation_id)
    return found and Partner(visitor_journey(db, site, found.visit_id, utc_now()))


def _draw_visit(journey: Journey, site: Site, *, is_ticking: bool) -> None:
    subheading(name_of(journey))
    small_text(state_of(journey, site.time_zone))
    st.page_link(
        "visitor/page.py",
        label="Open the visitor's page",
        icon=":material/person:",
        query_params={"site": site.key, "visit": journey.visit.id},
    )
    facts = [*_doing(journey), *who(journey), *arrival(journey, site.time_zone)]
    draw_facts(
        "Visitor", [(name, value) for name, value in facts if value and name not in LEFT_OUT]
    )
    _draw_journey(journey, site, is_ticking=is_ticking)


def _doing(journey: Journey) -> list[tuple[str, str]]:
    listed = journey.listed
    return [
        ("Now on", listed["path"] if journey.is_live else ""),
        ("Context", listed["page_context"]),
        ("Time on site", listed["time_on_site_label"]),
        ("Activity", listed["activity_label"] if journey.is_live else "Over"),
    ]


def _draw_journey(journey: Journey, site: Site, *, is_ticking: bool) -> None:
    views = journey.page_views.iloc[::-1]
    subheading("Pages, newest first")
    rows = views.assign(
        id=views.index.astype("str"),
        time=[time_of(moment, site.time_zone) for moment in views["viewed_at"]],
    )
    draw_table(
        rows[["id", "title", "in_view", *SHOWN]],
        [column for column in PAGE_VIEW_COLUMNS if column.name in SHOWN],
        key="chat_page_views",
        name="Pages, newest first",
        layout="list cards still",
        empty="No page view is known of this visit.",
        clock=Clock(
            age=(utc_now() - journey.as_of).total_seconds(),
            ticking=is_ticking and journey.is_live,
        ),
    )
