"""An invitation as it was sent: its agent and its text."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import streamlit as st

from core.chat.conversation_facts import agent_names
from core.chat.queries import messages
from core.chat.states import OpenedBy
from core.chat.store import find_conversation
from core.database import Connection
from core.tables import Conversation
from pages.parts.texts import time_of


@dataclass(frozen=True)
class InvitationPreview:
    """The conversation as it is now, the invitation's text, and the name of its agent."""

    conversation: Conversation
    text: str
    agent_name: str


def read_preview(db: Connection, invitation: Conversation) -> InvitationPreview | None:
    """The invitation as it is now; None when it is deleted."""
    found = find_conversation(db, invitation.site_id, invitation.id)
    if found is None:
        return None
    first = next(iter(messages(db, found.site_id, found.id)), None)
    return InvitationPreview(
        found, first.text if first else "", agent_names(db).get(found.agent_id, "")
    )


def draw_preview(sent: InvitationPreview, time_zone: str) -> None:
    """Draw the text, who sent it, and when."""
    by_rule = ", by a rule" if sent.conversation.opened_by == OpenedBy.RULE else ""
    by = f"{sent.agent_name}{by_rule}, {time_of(sent.conversation.created_at, time_zone)}"
    st.html(
        f'<figure class="sent"><blockquote dir="auto">{escape(sent.text)}</blockquote>'
        f"<figcaption>{escape(by)}</figcaption></figure>"
    )
