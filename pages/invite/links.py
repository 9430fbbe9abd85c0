"""The way from a visit to its chat."""

from __future__ import annotations

import streamlit as st

from core.tables import Conversation, Site
from pages.parts.address import leave_for

CHATS = "chats/page.py"


def open_chat(site: Site, conversation_id: str) -> None:
    """Go to the conversation on the page Chats."""
    leave_for("chats", {"site": site.key, "conversation": conversation_id})


def link_to_chat(site: Site, conversation: Conversation, label: str) -> None:
    """A link to the conversation on the page Chats."""
    st.page_link(
        CHATS,
        label=label,
        icon=":material/forum:",
        query_params={"site": site.key, "conversation": conversation.id},
    )


def link_to_transcript(site: Site, conversation_id: str) -> None:
    """A link to the transcript, where it can be downloaded."""
    st.page_link(
        CHATS,
        label="Open in Chats",
        icon=":material/forum:",
        query_params={"site": site.key, "past": conversation_id},
    )
