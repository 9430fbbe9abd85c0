"""Who has a conversation: taken by an agent, or given to another one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from core.agents import agents_of_site
from core.chat.answerers import may_answer
from core.chat.closing import lock_conversation
from core.chat.states import INVITED_STATES, ConversationState
from core.chat.store import change
from core.reasons import Reason, Refused
from core.tables import Conversation

HELD: dict[str, Any] = {"vacated_at": None, "given_at": None}
"""What a conversation has once its agent has taken or answered it."""


def take_over(
    db: Connection, conversation: Conversation, agent_id: int, now: datetime
) -> Conversation | Refused:
    """The conversation with this agent as its agent. An invitation cannot be taken over."""
    found = _open(db, conversation, now)
    if isinstance(found, Refused):
        return found
    if found.agent_id == agent_id and found.given_at is None:
        return found
    return change(db, found, now, agent_id=agent_id, agent_typing_at=None, **HELD)


def give(
    db: Connection, conversation: Conversation, agent_id: int, to_agent_id: int, now: datetime
) -> Conversation | Refused:
    """The conversation with the other agent as its agent, who has not answered in it yet.

    Whoever may answer it may give it, to an agent who sees its site and has the dashboard open.
    """
    found = _open(db, conversation, now)
    if isinstance(found, Refused):
        return found
    if found.agent_id == to_agent_id:
        return found
    if not may_answer(found, agent_id):
        return Refused(Reason.TAKEN)
    if to_agent_id not in {agent.id for agent in agents_of_site(db, now, found.site_id)}:
        return Refused(Reason.AGENT_AWAY)
    return change(
        db,
        found,
        now,
        agent_id=to_agent_id,
        given_at=now,
        vacated_at=None,
        agent_typing_at=None,
    )


def _open(db: Connection, conversation: Conversation, now: datetime) -> Conversation | Refused:
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if found.state in INVITED_STATES:
        return Refused(Reason.INVITED)
    return found if found.state == ConversationState.OPEN else Refused(Reason.OVER)
