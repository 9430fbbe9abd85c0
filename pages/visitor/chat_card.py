"""The chat on a visitor's page: invite, follow the invitation, talk."""

from __future__ import annotations

import streamlit as st

from core.accounts.identity import Role
from core.chat.states import TemplateKind
from core.chat.templates import list_templates
from core.tables import Site
from pages.invite.invitation import draw_invitation
from pages.invite.invitation_state import InvitationState
from pages.parts.agent import current_agent, draw_name_form
from pages.parts.chat.component import draw_conversation
from pages.parts.notices import draw_unanswered
from pages.parts.texts import subheading
from pages.parts.viewer import REFUSALS, read_as


def draw_chat_card(site: Site, visit_id: str) -> None:
    """Draw a card that is drawn again only when another part of it fits: see `fits`."""
    with st.container(border=True, key="chat_card"):
        subheading("Chat")
        st.fragment(draw_invitation)(site, visit_id, _draw_chat)


def _draw_chat(site: Site, invitation_state: InvitationState) -> None:
    conversation = invitation_state.chat
    assert conversation is not None
    agent = current_agent().agent
    if agent is None:
        if draw_name_form("conversation naming"):
            st.rerun()
        return
    assert site.id is not None
    site_id = site.id
    try:
        replies = read_as(
            Role.AGENT, lambda db: list_templates(db, site_id, TemplateKind.REPLY), site
        )
    except REFUSALS as error:
        draw_unanswered(error)
        replies = []
    draw_conversation(agent, site, conversation.id, replies)
