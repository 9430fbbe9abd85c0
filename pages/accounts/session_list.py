"""The browsers that are signed in to an account, each with a button that signs it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from core.accounts.sessions import Way
from core.tables import Session
from pages.accounts.account_words import WAY_NAMES
from pages.parts.texts import day_and_time_of, small_text
from pages.parts.time_zone import own_time_zone


def draw_sessions(
    sessions: Sequence[Session], sign_out: Callable[[Session], None], *, own_id: str = ""
) -> None:
    """Draw each session; `own_id` is that of the browser which looks, and gets no button."""
    zone = own_time_zone()
    for session in sessions:
        with st.container(
            horizontal=True, vertical_alignment="center", key=f"session {session.id}"
        ):
            here = " · this browser" if session.id == own_id else ""
            since = day_and_time_of(session.created_at, zone)
            seen = day_and_time_of(session.seen_at, zone)
            way = WAY_NAMES[Way(session.way)]
            st.html(
                f'<p class="session">{escape(session.browser)}{here}<small>'
                f"{escape(way)}, since {since}, last seen {seen}</small></p>",
                width="stretch",
            )
            if session.id != own_id and st.button("Sign out", key=f"end {session.id}"):
                sign_out(session)
    small_text(f"Times are in {zone}." if sessions else "No browser is signed in.")
