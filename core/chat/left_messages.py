"""Messages that visitors left while nobody was there, until an agent has seen to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select
from sqlmodel import col

from core.chat.closing import CLOSED_AT_ONCE, lock_conversation
from core.chat.queries import is_left
from core.chat.states import ConversationState
from core.chat.store import change
from core.reasons import Reason, Refused
from core.tables import Conversation


def mark_done(
    db: Connection, conversation: Conversation, agent_id: int, is_done: bool, now: datetime
) -> Conversation | Refused:
    """The left message, ticked off by this agent and read, or not any more. Doing it twice changes nothing."""
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if found.state != ConversationState.LEFT:
        return Refused(Reason.NOT_LEFT)
    if (found.done_at is not None) == is_done:
        return found
    if not is_done:
        return change(db, found, now, done_at=None, done_by=0)
    read = max(found.agent_read, found.message_count)
    return change(db, found, now, done_at=now, done_by=agent_id, agent_read=read)


def drop_left_messages(db: Connection, site_id: int, now: datetime) -> None:
    """Take what was left on a site that is being deleted from agents' lists, at most
    CLOSED_AT_ONCE at a time."""
    left = (
        select(Conversation)
        .where(col(Conversation.site_id) == site_id, is_left())
        .limit(CLOSED_AT_ONCE)
    )
    for row in db.execute(left).mappings().all():
        mark_done(db, Conversation.of(row), 0, True, now)
