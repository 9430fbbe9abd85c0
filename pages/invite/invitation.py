"""The invitation of one visit: the form, its progress, or why the visitor cannot be invited."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.accounts.identity import Role
from core.chat.closing import expires_at
from core.chat.states import INVITED_STATES, ConversationState
from core.moment import utc_now
from core.tables import Conversation, Site
from pages.invite.form import draw_form, draw_refusal
from pages.invite.invitation_state import InvitationState, read_invitation_state
from pages.invite.links import link_to_chat
from pages.invite.preview import InvitationPreview, draw_answer, draw_preview, read_preview
from pages.invite.steps import draw_steps
from pages.parts.notices import draw_unanswered
from pages.parts.texts import clock_of, small_text
from pages.parts.viewer import REFUSALS, read_as

REFRESH = 1
"""Seconds between two refreshes of an invitation that waits for its answer."""

NO_VISIT = "This visit is not known any more."
OVER = "The visitor has left: the visit is over."
ELSEWHERE = "The visitor is in a chat of another product."

_DRAWN = "invitation_state drawn"

DrawChat = Callable[[Site, InvitationState], None]
"""Draws the open conversation of the visit."""


def draw_invitation(
    site: Site, visit_id: str, draw_chat: DrawChat, *, names_visitor: bool = False
) -> None:
    """Draw the part that fits the visit as it is now.

    Call it in a fragment without a timer: one that reruns by itself would lose what the agent types
    in the meantime.
    """
    try:
        invitation_state = read_as(
            Role.AGENT, lambda db: read_invitation_state(db, site, visit_id, utc_now()), site
        )
    except REFUSALS as error:
        draw_unanswered(error)
        return
    if invitation_state is None:
        small_text(NO_VISIT)
        return
    st.session_state[_DRAWN] = (visit_id, invitation_state.sign)
    if names_visitor:
        small_text(f"{invitation_state.name}, on {invitation_state.visit.current_path}")
    draw_refusal()
    if invitation_state.chat:
        draw_chat(site, invitation_state)
        return
    if invitation_state.invitation:
        st.fragment(_draw_progress, run_every=REFRESH)(site, invitation_state.invitation)
        return
    if invitation_state.newest:
        _draw_outcome(invitation_state.newest, site)
    if not invitation_state.is_live:
        small_text(OVER)
    elif invitation_state.is_chatting:
        small_text(ELSEWHERE)
    else:
        draw_form(site, invitation_state)


def fits(invitation_state: InvitationState) -> bool:
    """Whether the part that `draw_invitation` last drew for this visit still fits it."""
    visit_id, sign = st.session_state.get(_DRAWN, ("", None))
    return visit_id != invitation_state.visit.id or sign == invitation_state.sign


def _draw_outcome(newest: Conversation, site: Site) -> None:
    if newest.state in (ConversationState.DISMISSED, ConversationState.EXPIRED):
        _draw_sent(newest, site)
    if newest.state == ConversationState.LEFT:
        link_to_chat(site, newest, "Read the message that the visitor has left")


def draw_accepted(site: Site, invitation_state: InvitationState) -> None:
    """Draw the invitation that was accepted, and the visitor's first answer once it comes."""
    chat = invitation_state.chat
    assert chat is not None
    st.fragment(_draw_answered, run_every=REFRESH)(site, chat, invitation_state.name)


def _draw_answered(site: Site, chat: Conversation, name: str) -> None:
    sent = _draw_sent(chat, site)
    if sent is None:
        return
    if sent.answer:
        draw_answer(sent.answer, name, site.time_zone)
    elif sent.conversation.state == ConversationState.OPEN:
        small_text(f"{name} has not written yet.")


def _draw_sent(invitation: Conversation, site: Site) -> InvitationPreview | None:
    """Draw the text and how far it came, as it is now; returns None where that is not known."""
    try:
        sent = read_as(Role.AGENT, lambda db: read_preview(db, invitation), site)
    except REFUSALS as error:
        draw_unanswered(error)
        return None
    if sent is None:
        small_text(NO_VISIT)
        return None
    if sent.text:
        draw_preview(sent, site.time_zone)
        draw_steps(sent.conversation, site.time_zone)
    return sent


def _draw_progress(site: Site, invitation: Conversation) -> None:
    sent = _draw_sent(invitation, site)
    if sent is None:
        return
    if sent.conversation.state not in INVITED_STATES:
        st.rerun()
    expires = expires_at(sent.conversation)
    if expires is None:
        small_text(
            "Something on the visitor's page still hides it. Its five minutes begin once it is seen."
        )
    else:
        at = clock_of(expires, site.time_zone)
        small_text(f"Without an answer it expires at {at} ({site.time_zone}).")
