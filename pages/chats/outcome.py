"""How a conversation went, in words."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from core.chat.states import ClosedBy, ConversationState

OUTCOMES = {
    ConversationState.QUEUED: "Invitation queued",
    ConversationState.DELIVERED: "Invitation delivered",
    ConversationState.SHOWN: "Invitation shown",
    ConversationState.OPEN: "Goes on",
    ConversationState.DISMISSED: "Dismissed",
    ConversationState.EXPIRED: "Expired",
    ConversationState.LEFT: "Left a message",
}

ENDS = {
    ClosedBy.VISITOR: "Ended by the visitor",
    ClosedBy.AGENT: "Ended by the agent",
    ClosedBy.SILENCE: "Ended by silence",
    ClosedBy.VISIT: "Ended with the visit",
}


def outcome_of(conversation: Mapping[Hashable, Any]) -> str:
    """What became of it: `state` and `closed_by` are looked at."""
    state = ConversationState(conversation["state"])
    if state is ConversationState.ENDED:
        return ENDS.get(conversation["closed_by"], "Ended")
    return OUTCOMES[state]
