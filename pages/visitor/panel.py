"""A visitor beside something else, a list or a chat: what an agent needs to know of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from core.frames import Journey
from core.tables import Site
from pages.parts.facts import draw_facts
from pages.parts.past_moment import at_parameter
from pages.parts.texts import small_text, subheading
from pages.visitor.page_views import draw_page_views
from pages.visitor.visit_text import arrival, name_of, state_of, who

PAGES = "Pages, newest first"


def draw_visitor(
    journey: Journey,
    site: Site,
    *,
    key: str,
    is_ticking: bool,
    draw_chats: Callable[[], None] | None = None,
    moment: datetime | None = None,
) -> None:
    """Draw who it is, what they do, the facts, and their pages, the newest first.

    draw_chats: draws what can be done and read of the visitor's chats, above the facts. moment: the past one that
    the journey is of, None: it is of now.
    """
    subheading(name_of(journey))
    small_text(state_of(journey, site.time_zone, is_past=moment is not None))
    if draw_chats:
        draw_chats()
    st.page_link(
        "visitor/page.py",
        label="Open the visitor's page",
        icon=":material/person:",
        query_params={
            "site": site.key,
            "visit": journey.visit.id,
            **at_parameter(moment, site.time_zone),
        },
    )
    facts = [*_doing(journey), *who(journey), *arrival(journey, site.time_zone)]
    # The name is the title, and there is no room for what is not known.
    draw_facts("Visitor", [(name, value) for name, value in facts if value and name != "Name"])
    subheading(PAGES)
    draw_page_views(
        journey,
        site,
        key=key,
        name=PAGES,
        is_ticking=is_ticking,
        is_past=moment is not None,
        is_newest_first=True,
        left_out=("title",),
    )


def _doing(journey: Journey) -> list[tuple[str, str]]:
    listed = journey.listed
    return [
        ("Context", listed["page_context"]),
        ("Time on Site", listed["time_on_site_label"]),
        ("Activity", listed["activity_label"] if journey.is_live else "Over"),
    ]
