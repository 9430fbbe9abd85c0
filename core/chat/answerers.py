"""Who may answer a conversation."""

from __future__ import annotations

from collections.abc import Sequence

from core.tables import Conversation


def answerers(conversation: Conversation) -> Sequence[int] | None:
    """The ids of the agents who may answer: the one who has the conversation. None: every agent,
    because nobody has it yet."""
    return (conversation.agent_id,) if conversation.agent_id else None


def may_answer(conversation: Conversation, agent_id: int) -> bool:
    """Whether this agent is one of them."""
    allowed = answerers(conversation)
    return allowed is None or agent_id in allowed
