"""An invitation as it was sent, and what the visitor first said to it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import streamlit as st

from core.chat.conversation_facts import agent_names
from core.chat.queries import messages
from core.chat.states import Author, OpenedBy
from core.chat.store import find_conversation
from core.database import Connection
from core.tables import Conversation, Message
from pages.parts.texts import clock_of


@dataclass(frozen=True)
class InvitationPreview:
    """The conversation as it is now, the invitation's text ("" where the visitor began), the name of
    its agent, and the visitor's first message, None before it."""

    conversation: Conversation
    text: str
    agent_name: str
    answer: Message | None


def read_preview(db: Connection, invitation: Conversation) -> InvitationPreview | None:
    """The invitation as it is now; None when it is deleted."""
    found = find_conversation(db, invitation.site_id, invitation.id)
    if found is None:
        return None
    said = messages(db, found.site_id, found.id)
    return InvitationPreview(
        conversation=found,
        text=said[0].text if said and found.opened_by != OpenedBy.VISITOR else "",
        agent_name=agent_names(db).get(found.agent_id, ""),
        answer=next((each for each in said if each.author == Author.VISITOR), None),
    )


def draw_preview(sent: InvitationPreview, time_zone: str) -> None:
    """Draw the text, who sent it, and when."""
    by_rule = ", by a rule" if sent.conversation.opened_by == OpenedBy.RULE else ""
    by = f"{sent.agent_name}{by_rule}, {clock_of(sent.conversation.created_at, time_zone)}"
    _draw_quote(sent.text, by, "sent")


def draw_answer(answer: Message, name: str, time_zone: str) -> None:
    """Draw the visitor's first message, who they are, and when they wrote it."""
    _draw_quote(answer.text, f"{name}, {clock_of(answer.sent_at, time_zone)}", "sent answer")


def _draw_quote(text: str, by: str, style: str) -> None:
    st.html(
        f'<figure class="{style}"><blockquote dir="auto">{escape(text)}</blockquote>'
        f"<figcaption>{escape(by)}</figcaption></figure>"
    )
