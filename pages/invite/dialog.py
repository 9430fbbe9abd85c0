"""The invitation as a dialog over Visitor Monitor; it stays open while the page below refreshes."""

from __future__ import annotations

import streamlit as st

from core.tables import Site
from pages.invite.invitation import draw_accepted, draw_invitation
from pages.invite.invitation_state import InvitationState
from pages.invite.links import open_chat
from pages.parts.open_dialog import close_dialog, open_dialog, open_dialog_about

_INVITING = "inviting"
"""The dialog; it is about a site's key and a visit."""


def open_invitation(site: Site, visit_id: str) -> None:
    """Open the dialog for this visit."""
    open_dialog(_INVITING, (site.key, visit_id))
    st.rerun()


def draw_dialog(site: Site) -> None:
    """Draw the dialog until it is closed. To be called in each full run of the page; a rerun of a
    fragment leaves the dialog as it is."""
    site_key, visit_id = open_dialog_about(_INVITING) or ("", "")
    if site_key == site.key:
        _draw(site, visit_id)


def _close() -> None:
    close_dialog(_INVITING)


@st.dialog("Invite to a chat", width="medium", on_dismiss=_close)
def _draw(site: Site, visit_id: str) -> None:
    draw_invitation(site, visit_id, _draw_chat, names_visitor=True)


def _draw_chat(site: Site, invitation_state: InvitationState) -> None:
    chat = invitation_state.chat
    assert chat is not None
    draw_accepted(site, invitation_state)
    if st.button("Open the chat", type="primary", icon=":material/forum:", key="open the chat"):
        _close()
        open_chat(site, chat.id)
