"""What was said in the visit's conversations that are over."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.chat.words import OPEN_STATES
from core.database import Connection
from core.frames.transcripts import conversations_frame, messages_frame
from core.queries.chats import conversations_of_visit
from core.tables import Site
from pages.chats.transcript import LOOK, Transcript, transcript_html
from pages.chats.words import outcome_of
from pages.words import plural, subheading, time_of


def read_past_chats(db: Connection, site: Site, visit_id: str) -> list[Transcript]:
    """Each conversation that is over, the newest first, with all that was said."""
    assert site.id is not None
    past = [
        each
        for each in conversations_of_visit(db, site.id, visit_id)
        if each.state not in OPEN_STATES
    ]
    rows = conversations_frame(db, past)
    return [
        Transcript(rows.iloc[position], messages_frame(db, [each]))
        for position, each in enumerate(past)
    ]


def draw_past_chats(past: Sequence[Transcript], site: Site) -> None:
    """Each one folded, or nothing where there is none."""
    if not past:
        return
    subheading("Chats of this visit")
    st.html(LOOK)
    for transcript in past:
        row = transcript.conversation
        began = time_of(row["created_at"], site.time_zone)
        told = f"{began} · {outcome_of(dict(row))} · {plural(len(transcript.messages), 'message')}"
        with st.expander(told, icon=":material/forum:"):
            st.html(transcript_html(transcript, site.time_zone))
