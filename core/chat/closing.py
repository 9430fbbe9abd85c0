"""When a conversation is over by itself, and what its end changes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlmodel import col

from core.chat.store import change, find_conversation
from core.chat.visit_chat import VisitState, end_chat, find_visit_state
from core.chat.words import (
    CHAT_ENDS_AFTER,
    INVITATION_EXPIRES_AFTER,
    OPEN_STATES,
    ClosedBy,
    ConversationState,
)
from core.database import lock_visits
from core.presence import VISIT_ENDS_AFTER
from core.tables import Conversation

CLOSED_AT_ONCE = 200
"""Conversations that one transaction closes, so that beacons never wait long for it."""


class Due(NamedTuple):
    """How a conversation has ended by itself, and when."""

    state: ConversationState
    by: ClosedBy
    at: datetime


def current(db: Connection, conversation: Conversation, now: datetime) -> Conversation | None:
    """The conversation as it stands, under the lock of all writers; closed here if it is over.

    None when it has been deleted.
    """
    lock_visits(db)
    found = find_conversation(db, conversation.site_id, conversation.id)
    return None if found is None else _settle(db, found, now)


def find_due(conversation: Conversation, visit: VisitState | None, now: datetime) -> Due | None:
    """How the conversation has ended by itself by now, or None while it goes on."""
    if conversation.state not in OPEN_STATES:
        return None
    is_open = conversation.state == ConversationState.OPEN
    state = ConversationState.ENDED if is_open else ConversationState.EXPIRED
    if visit is None:
        return Due(state, ClosedBy.VISIT, now)
    ends = [
        Due(state, ClosedBy.SILENCE, _silent_at(conversation)),
        Due(state, ClosedBy.VISIT, visit.last_activity_at + VISIT_ENDS_AFTER),
    ]
    first = min(ends, key=lambda due: due.at)
    return first if first.at <= now else None


def close(
    db: Connection,
    conversation: Conversation,
    state: ConversationState,
    by: ClosedBy,
    now: datetime,
    at: datetime | None = None,
) -> Conversation:
    """The conversation, closed; its visit is chatting no more."""
    was_open = conversation.state == ConversationState.OPEN
    closed = change(
        db,
        conversation,
        now,
        state=state.value,
        closed_by=by.value,
        closed_at=at or now,
        waiting_since=None,
        agent_typing_at=None,
        visitor_typing_at=None,
    )
    if was_open:
        end_chat(db, conversation, at or now)
    return closed


def close_due(db: Connection, now: datetime) -> int:
    """Close the conversations that are over by themselves; how many, at most CLOSED_AT_ONCE."""
    open_ones = select(Conversation).where(col(Conversation.state).in_(sorted(OPEN_STATES)))
    candidates = [Conversation(**row) for row in db.execute(open_ones).mappings()]
    due = [each for each in candidates if _due_of(db, each, now)][:CLOSED_AT_ONCE]
    for conversation in due:
        current(db, conversation, now)
    return len(due)


def _settle(db: Connection, conversation: Conversation, now: datetime) -> Conversation:
    due = _due_of(db, conversation, now)
    if due is None:
        return conversation
    return close(db, conversation, due.state, due.by, now, min(due.at, now))


def _due_of(db: Connection, conversation: Conversation, now: datetime) -> Due | None:
    if conversation.state not in OPEN_STATES:
        return None
    visit = find_visit_state(db, conversation.site_id, conversation.visit_id)
    return find_due(conversation, visit, now)


def _silent_at(conversation: Conversation) -> datetime:
    if conversation.state != ConversationState.OPEN:
        return (conversation.shown_at or conversation.created_at) + INVITATION_EXPIRES_AFTER
    moments = (conversation.accepted_at, conversation.message_at, conversation.created_at)
    return max(moment for moment in moments if moment) + CHAT_ENDS_AFTER
