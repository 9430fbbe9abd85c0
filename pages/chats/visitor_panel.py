"""The visitor of a conversation: who it is and what they do, as far as an agent needs to know it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.chat.store import find_conversation
from core.database import Connection
from core.deadline import DatabaseUnavailable, read
from core.frames import Journey, visitor_journey
from core.moment import utc_now
from core.tables import Conversation, Site
from pages.parts.facts import draw_facts
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
class PanelSnapshot:
    """The visit as it was last read; `fault` says why it is out of date."""

    conversation: Conversation | None
    journey: Journey | None
    fault: str = ""


def draw_visitor_panel(site: Site, conversation_id: str) -> None:
    """Draw the visitor's facts and journey as they are now."""
    snapshot = _load(site, conversation_id)
    if snapshot.fault:
        since = time_of(snapshot.journey.as_of, site.time_zone) if snapshot.journey else ""
        draw_fault(snapshot.fault, since=since)
    if snapshot.journey is not None:
        _draw_visit(snapshot.journey, site, is_ticking=not snapshot.fault)
    elif snapshot.conversation is not None:
        small_text(GONE)


def _load(site: Site, conversation_id: str) -> PanelSnapshot:
    name = f"visitor panel {site.key} {conversation_id}"

    def load(db: Connection) -> PanelSnapshot:
        assert site.id is not None
        found = find_conversation(db, site.id, conversation_id)
        return PanelSnapshot(found, found and visitor_journey(db, site, found.visit_id, utc_now()))

    try:
        snapshot = read(load)
    except DatabaseUnavailable as error:
        last: PanelSnapshot = st.session_state.get(name, PanelSnapshot(None, None))
        return PanelSnapshot(last.conversation, last.journey, str(error))
    st.session_state[name] = snapshot
    return snapshot


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
