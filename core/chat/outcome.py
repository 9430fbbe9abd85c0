"""The words for a conversation: how it began, its state, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from core.chat.limits import CHAT_ENDS_AFTER
from core.chat.rating import Rating
from core.chat.states import ClosedBy, ConversationState, OpenedBy
from core.tables import Conversation

STATES: Mapping[str, str] = {
    ConversationState.QUEUED: "Invitation queued",
    ConversationState.DELIVERED: "Invitation delivered",
    ConversationState.SHOWN: "Invitation shown",
    ConversationState.OPEN: "Goes on",
    ConversationState.DISMISSED: "Dismissed",
    ConversationState.EXPIRED: "Expired",
    ConversationState.LEFT: "Left a message",
    ConversationState.ENDED: "Ended",
}
"""In a list; of what has ended, `outcome_text` says by whom."""

STEPS: Mapping[str, str] = {
    ConversationState.QUEUED: "Queued",
    ConversationState.DELIVERED: "Delivered",
    ConversationState.SHOWN: "Shown",
    ConversationState.OPEN: "Accepted",
    ConversationState.DISMISSED: STATES[ConversationState.DISMISSED],
    ConversationState.EXPIRED: STATES[ConversationState.EXPIRED],
}
"""The step by which an invitation reached the state."""

ENDS: Mapping[str, str] = {
    ClosedBy.VISITOR: "Ended by the visitor",
    ClosedBy.AGENT: "Ended by the agent",
    ClosedBy.SILENCE: "Ended by silence",
    ClosedBy.VISIT: "Ended with the visit",
    ClosedBy.CONSENT: "Ended: consent withdrawn",
    ClosedBy.OPT_OUT: "Ended: visitor opted out",
    ClosedBy.PAGE: "Ended: visitor left the page",
}

BECAUSE: Mapping[str, str] = {
    ClosedBy.CONSENT: "because the visitor has withdrawn their consent",
    ClosedBy.OPT_OUT: "because the visitor has opted out",
    ClosedBy.PAGE: "because the visitor has left the page, and their browser stores nothing to go on with",
}
"""Why it could not go on, where neither side wanted its end."""

DISMISSED = "The visitor dismissed the invitation"
WITHDRAWN = "The invitation was withdrawn"
EXPIRED = "The invitation expired without an answer"
SILENT = f"Ended after {CHAT_ENDS_AFTER.seconds // 60} minutes without a message"
LEFT = (
    "Left while nobody was available: answer by e-mail, "
    "or while the visitor is on the site, invite them from their page."
)


_RATINGS: Mapping[str, str] = {Rating.GOOD: "Good", Rating.BAD: "Not good"}


def rating_text(rating: str) -> str:
    """The visitor's rating in words, "" without one."""
    return _RATINGS.get(rating, "")


def outcome_text(state: str, closed_by: str) -> str:
    """What became of a conversation, in a list or above a transcript: an agent has no name here,
    for the agent's name stands there already."""
    is_ended = state == ConversationState.ENDED
    return ENDS.get(closed_by, STATES[state]) if is_ended else STATES[state]


def end_text(conversation: Conversation, agent_name: str) -> str:
    """How it ended, as a longer phrase below its messages; "" before the end."""
    closed_by = conversation.closed_by
    match ConversationState(conversation.state):
        case ConversationState.LEFT:
            return LEFT
        case ConversationState.DISMISSED:
            return DISMISSED
        case ConversationState.EXPIRED if closed_by in BECAUSE:
            return f"The invitation ended {BECAUSE[closed_by]}"
        case ConversationState.EXPIRED:
            return WITHDRAWN if closed_by == ClosedBy.AGENT else EXPIRED
        case ConversationState.ENDED if closed_by == ClosedBy.SILENCE:
            return SILENT
        case ConversationState.ENDED if closed_by == ClosedBy.AGENT:
            return f"Ended by {agent_name}" if agent_name else "Ended"
        case ConversationState.ENDED if closed_by in BECAUSE:
            return f"Ended {BECAUSE[closed_by]}"
        case ConversationState.ENDED:
            return outcome_text(conversation.state, closed_by)
        case _:
            return ""


def steps_taken(conversation: Conversation, agent_name: str) -> list[tuple[str, datetime]]:
    """How it came about: each step that was reached, and when."""
    began = (_opening(conversation.opened_by, agent_name), conversation.created_at)
    if conversation.opened_by == OpenedBy.VISITOR:
        return [began]
    steps = [
        began,
        (STEPS[ConversationState.DELIVERED], conversation.delivered_at),
        (STEPS[ConversationState.SHOWN], conversation.shown_at),
        (STEPS[ConversationState.OPEN], conversation.accepted_at),
    ]
    return [(word, at) for word, at in steps if at is not None]


def _opening(opened_by: str, agent_name: str) -> str:
    if opened_by == OpenedBy.VISITOR:
        return "The visitor opened this chat"
    if opened_by == OpenedBy.RULE:
        return "A rule invited this visitor"
    return f"Invited by {agent_name}" if agent_name else "Invited"
