"""The messages of one conversation, and what agents have noted on it, to read and to download."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.accounts.identity import Role
from core.chat.conversation_facts import agent_names
from core.chat.notes import notes
from core.chat.outcome import outcome_text, rating_text
from core.chat.store import find_conversation
from core.database import Connection
from core.frames import conversations_frame, messages_frame
from core.tables import Conversation, Site
from pages.parts.notices import draw_unanswered
from pages.parts.texts import clock_of, day_and_time_of, small_text, subheading
from pages.parts.viewer import REFUSALS, for_viewer, read_as

LOOK = Path(__file__).with_name("transcript.css")
GONE = "This chat is not known, or it is deleted by now."


@dataclass(frozen=True)
class TranscriptLine:
    """One message, or a note of an agent's for agents; author: "agent", "visitor" or "note"."""

    author: str
    name: str
    sent_at: datetime
    text: str


@dataclass(frozen=True)
class Transcript:
    """conversation: its row of `conversations_frame`; lines: its messages in order."""

    conversation: pd.Series[Any]
    lines: Sequence[TranscriptLine]

    @property
    def outcome(self) -> str:
        """How the conversation ended."""
        return outcome_text(self.conversation["state"], self.conversation["closed_by"])

    @property
    def rating(self) -> str:
        """How the visitor rated it, and why; "" without a rating."""
        row = self.conversation
        said = f": {row['rating_text']}" if row["rating_text"] else ""
        return f"Rated {rating_text(row['rating']).lower()}{said}" if row["rating"] else ""


def draw_transcript(site: Site, conversation_id: str) -> None:
    """Draw the conversation from its first message to its last, with its download."""
    try:
        found = read_as(Role.AGENT, lambda db: read_transcript(db, site, conversation_id), site)
    except REFUSALS as error:
        draw_unanswered(error)
        return
    if found is None:
        small_text(GONE)
        return
    row = found.conversation
    with st.container(border=True):
        subheading(row["visitor"])
        small_text(
            " · ".join(filter(None, (_when(row, site), row["agent"], found.outcome, found.rating)))
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            _draw_links(site, row)
        st.html(LOOK)
        st.html(transcript_html(found, site.time_zone))


def transcript_html(transcript: Transcript, time_zone: str) -> str:
    """The messages as a list; their text is escaped."""
    lines = "".join(
        f'<li class="{escape(each.author)}"><span>{escape(each.name)} · '
        f"{clock_of(each.sent_at, time_zone)}</span>"
        f'<p dir="auto">{escape(each.text)}</p></li>'
        for each in transcript.lines
    )
    return f'<ol class="transcript" aria-label="Messages">{lines}</ol>'


def transcript_text(transcript: Transcript, site: Site) -> str:
    """The conversation as plain text, a line for each message; its later lines are indented."""
    row, zone = transcript.conversation, ZoneInfo(site.time_zone)
    head = [
        f"Chat with {row['visitor']} on {site.name}",
        f"Began {day_and_time_of(row['created_at'], site.time_zone)} ({site.time_zone})",
        f"Outcome: {transcript.outcome}",
        *filter(None, [transcript.rating]),
        f"Conversation {row['id']}, visit {row['visit_id']}",
        "",
    ]
    lines = [
        f"[{each.sent_at.astimezone(zone):%Y-%m-%d %H:%M:%S}] {each.name}: "
        + each.text.replace("\n", "\n    ")
        for each in transcript.lines
    ]
    return "\n".join([*head, *lines, ""])


def read_transcript(db: Connection, site: Site, conversation_id: str) -> Transcript | None:
    """The conversation with all its messages, and agents' notes in their place; None when it is deleted."""
    assert site.id is not None
    found = find_conversation(db, site.id, conversation_id)
    if found is None:
        return None
    [transcript] = read_transcripts(db, [found])
    lines = list(transcript.lines)
    for note in _notes(db, site.id, found.id):
        lines.insert(_place(lines, note.sent_at), note)
    return replace(transcript, lines=lines)


def read_transcripts(db: Connection, conversations: Sequence[Conversation]) -> list[Transcript]:
    """Each of the site's conversations with all its messages, in the order given."""
    lines: defaultdict[str, list[TranscriptLine]] = defaultdict(list)
    said = messages_frame(db, conversations)
    said["name"] = said["name"].where(said["mail"] == "", said["name"] + ", " + said["mail"])
    columns = said[["conversation", "author", "name", "sent_at", "text"]]
    for conversation_id, *values in columns.itertuples(index=False, name=None):
        lines[conversation_id].append(TranscriptLine(*values))
    rows = conversations_frame(db, conversations)
    return [Transcript(row, lines[row["id"]]) for _, row in rows.iterrows()]


def _notes(db: Connection, site_id: int, conversation_id: str) -> list[TranscriptLine]:
    names = agent_names(db)
    return [
        TranscriptLine(
            "note", f"Note by {names.get(note.agent_id) or 'an agent'}", note.written_at, note.text
        )
        for note in notes(db, site_id, conversation_id)
    ]


def _place(lines: Sequence[TranscriptLine], at: datetime) -> int:
    """Where a note of this moment stands: messages keep the order of their numbers, whatever a clock says."""
    later = (i for i, line in enumerate(lines) if line.author != "note" and line.sent_at > at)
    return next(later, len(lines))


def _when(row: pd.Series[Any], site: Site) -> str:
    return f"{day_and_time_of(row['created_at'], site.time_zone)} ({site.time_zone})"


def _draw_links(site: Site, row: pd.Series[Any]) -> None:
    st.page_link(
        "visitor/page.py",
        label="Open the visitor's page",
        icon=":material/person:",
        query_params={"site": site.key, "visit": row["visit_id"]},
    )
    st.download_button(
        "Download text",
        data=for_viewer(lambda: _text(site, row["id"])),
        file_name=f"chat-{site.key}-{row['id']}.txt",
        mime="text/plain",
        icon=":material/download:",
        on_click="ignore",
        key="download_chat",
    )
    if st.button("Close transcript", type="tertiary", key="close_transcript"):
        del st.query_params["past"]
        st.rerun()


def _text(site: Site, conversation_id: str) -> str:
    found = read_as(Role.AGENT, lambda db: read_transcript(db, site, conversation_id), site)
    return GONE if found is None else transcript_text(found, site)
