"""Messages of both sides. One that is sent twice with the same id is stored once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from core.chat.answerers import may_answer
from core.chat.closing import lock_conversation
from core.chat.handover import HELD
from core.chat.invitations import accept
from core.chat.limits import LONGEST_MESSAGE, MAX_MESSAGES
from core.chat.states import INVITED_STATES, OPEN_STATES, Author
from core.chat.store import add_message, find_message
from core.chat.visit_chat import record_agent_message, record_visitor_message
from core.enrich.text import clean_lines
from core.reasons import Reason, Refused
from core.tables import Conversation, Message


def send_as_agent(
    db: Connection,
    conversation: Conversation,
    *,
    agent_id: int,
    client_id: str,
    text: str,
    now: datetime,
) -> Message | Refused:
    """The message. An agent who answers a conversation without an agent becomes its agent."""
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if (said := find_message(db, found, client_id)) is not None:
        return said
    if (refused := _refuse(found, text)) is not None:
        return refused
    if found.state in INVITED_STATES:
        return Refused(Reason.INVITED)
    if not may_answer(found, agent_id):
        return Refused(Reason.TAKEN)
    changed, message = add_message(
        db,
        found,
        now,
        author=Author.AGENT,
        agent_id=agent_id,
        text=clean_lines(text, LONGEST_MESSAGE),
        client_id=client_id,
        waiting_since=None,
        agent_typing_at=None,
        **HELD,
    )
    record_agent_message(db, changed, now)
    return message


def send_as_visitor(
    db: Connection, conversation: Conversation, *, client_id: str, text: str, now: datetime
) -> Message | Refused:
    """The message. An answer to an invitation accepts it."""
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if (said := find_message(db, found, client_id)) is not None:
        return said
    if (refused := _refuse(found, text)) is not None:
        return refused
    if found.state in INVITED_STATES:
        accepted = accept(db, found, now)
        if isinstance(accepted, Refused):
            return accepted
        found = accepted
    changed, message = add_message(
        db,
        found,
        now,
        author=Author.VISITOR,
        text=clean_lines(text, LONGEST_MESSAGE),
        client_id=client_id,
        waiting_since=found.waiting_since or now,
        gone_at=None,
        visitor_typing_at=None,
    )
    record_visitor_message(db, changed, now)
    return message


def _refuse(conversation: Conversation, text: str) -> Refused | None:
    if conversation.state not in OPEN_STATES:
        return Refused(Reason.OVER)
    if not clean_lines(text, LONGEST_MESSAGE):
        return Refused(Reason.EMPTY)
    if conversation.message_count >= MAX_MESSAGES:
        return Refused(Reason.TOO_MANY)
    return None
