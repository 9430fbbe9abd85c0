"""The invitation as a dialog over Visitor Monitor; it stays open while the page below refreshes."""

from __future__ import annotations

import streamlit as st

from core.tables import Conversation, Site
from pages.invite.invitation import draw_invitation
from pages.invite.links import open_chat
from pages.invite.steps import draw_steps

_INVITING = "inviting"


def open_invitation(site: Site, visit_id: str) -> None:
    """Open the dialog for this visit."""
    st.session_state[_INVITING] = (site.key, visit_id)
    st.rerun()


def draw_dialog(site: Site) -> None:
    """Draw the dialog until it is closed. To be called in each full run of the page; a rerun of a
    fragment leaves the dialog as it is."""
    site_key, visit_id = st.session_state.get(_INVITING, ("", ""))
    if site_key == site.key:
        _draw(site, visit_id)


def close_dialog() -> None:
    """Close the dialog: the agent has left it, or goes to another page."""
    st.session_state.pop(_INVITING, None)


@st.dialog("Invite to a chat", width="medium", on_dismiss=close_dialog)
def _draw(site: Site, visit_id: str) -> None:
    draw_invitation(site, visit_id, _draw_accepted, names_visitor=True)


def _draw_accepted(site: Site, conversation: Conversation) -> None:
    draw_steps(conversation, site.time_zone)
    if st.button("Open the chat", type="primary", icon=":material/forum:", key="open the chat"):
        close_dialog()
        open_chat(site, conversation.id)
