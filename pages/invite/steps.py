"""The steps of an invitation: each state that it has reached, with the time."""

from __future__ import annotations

from datetime import datetime
from html import escape

import streamlit as st

from core.chat.outcome import BECAUSE, STEPS, end_text
from core.chat.states import ConversationState
from core.tables import Conversation
from pages.parts.texts import clock_of

WORDS = {
    ConversationState.QUEUED: "Waiting for the visitor's browser, which asks every few seconds.",
    ConversationState.DELIVERED: "The visitor's browser has the invitation.",
    ConversationState.SHOWN: "The visitor sees the invitation.",
    ConversationState.OPEN: "The visitor has accepted.",
    ConversationState.DISMISSED: "The visitor has dismissed the invitation.",
    ConversationState.EXPIRED: "The invitation has expired: nobody answered it.",
}
REFUSALS = (ConversationState.DISMISSED, ConversationState.EXPIRED)
"""The last step, where the visitor did not accept."""


def draw_steps(invitation: Conversation, time_zone: str) -> None:
    """Draw a sentence and the steps in their order; steps not reached yet are dim."""
    rows = "".join(_step(word, at, time_zone) for word, at in steps_of(invitation))
    st.html(
        f'<p class="steps-state" role="status">{escape(_sentence(invitation))}</p>'
        f'<ol class="steps" aria-label="The invitation\'s states">{rows}</ol>'
    )


def _sentence(invitation: Conversation) -> str:
    if invitation.closed_by in BECAUSE:
        return f"{end_text(invitation, '')}."
    return WORDS.get(ConversationState(invitation.state), "")


def steps_of(invitation: Conversation) -> list[tuple[str, datetime | None]]:
    """Each step and when it was reached; None where it was not, or not yet."""
    state = ConversationState(invitation.state)
    answer = state if state in REFUSALS else ConversationState.OPEN
    answered_at = invitation.closed_at if state in REFUSALS else invitation.accepted_at
    return [
        (STEPS[ConversationState.QUEUED], invitation.created_at),
        (STEPS[ConversationState.DELIVERED], invitation.delivered_at),
        (STEPS[ConversationState.SHOWN], invitation.shown_at),
        (STEPS[answer], answered_at),
    ]


def _step(word: str, at: datetime | None, time_zone: str) -> str:
    time = f"<time>{clock_of(at, time_zone)}</time>" if at else "<time>–</time>"
    return f'<li class="{"reached" if at else "to-come"}"><span>{word}</span> {time}</li>'
