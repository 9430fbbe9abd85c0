"""The phases of a conversation: what an agent can do in it depends on no more than this."""

from __future__ import annotations

from enum import StrEnum

from core.chat.states import INVITED_STATES, ConversationState


class ConversationPhase(StrEnum):
    """INVITED: the visitor has not answered yet. OPEN: both can write. LEFT: a message that waits to
    be read. OVER: nothing follows."""

    INVITED = "invited"
    OPEN = "open"
    LEFT = "left"
    OVER = "over"


def phase_of(state: str) -> ConversationPhase:
    """The phase of a conversation in this state."""
    if state in INVITED_STATES:
        return ConversationPhase.INVITED
    if state == ConversationState.OPEN:
        return ConversationPhase.OPEN
    if state == ConversationState.LEFT:
        return ConversationPhase.LEFT
    return ConversationPhase.OVER
