"""The messages of the visit's conversations that are over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.chat.states import OPEN_STATES
from core.database import Connection
from core.tables import Conversation, Site
from pages.invite.links import link_to_transcript
from pages.parts.texts import day_and_time_of, plural, subheading
from pages.parts.transcript import LOOK, Transcript, read_transcripts, transcript_html


def read_past_chats(
    db: Connection, conversations: Sequence[Conversation], moment: datetime
) -> list[Transcript]:
    """Each of the visit's conversations that was over at the moment, with all its messages."""
    return read_transcripts(
        db,
        [
            each
            for each in conversations
            if each.state not in OPEN_STATES and not (each.closed_at and each.closed_at > moment)
        ],
    )


def draw_past_chats(past: Sequence[Transcript], site: Site) -> None:
    """Draw each one folded, or nothing when there is none."""
    if not past:
        return
    subheading("Chats of this visit")
    st.html(LOOK)
    for transcript in past:
        row = transcript.conversation
        began = day_and_time_of(row["created_at"], site.time_zone)
        label = f"{began} · {transcript.outcome} · {plural(len(transcript.lines), 'message')}"
        with st.expander(label, icon=":material/forum:", key=f"past chat {row['id']}"):
            st.html(transcript_html(transcript, site.time_zone))
            link_to_transcript(site, row["id"])
