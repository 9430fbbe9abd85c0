"""When a conversation is over by itself, and what its end changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, func, or_, select
from sqlmodel import col

from core.chat.states import (
    CHAT_ENDS_AFTER,
    INVITATION_EXPIRES_AFTER,
    OPEN_STATES,
    TOLD_FOR,
    ClosedBy,
    ConversationState,
)
from core.chat.store import change, find_conversation
from core.chat.visit_chat import VisitState, end_chat, find_visit_state
from core.database import lock_visits
from core.tables import Conversation, Visit
from core.visits.liveness import visit_ends_at, visit_goes_on

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
        Due(state, ClosedBy.VISIT, visit_ends_at(visit.last_activity_at)),
    ]
    first = min(ends, key=lambda due: due.at)
    return first if first.at <= now else None


def is_long_over(conversation: Conversation, now: datetime) -> bool:
    """Whether the visitor's browser is told of it no more: what comes of it surprises by then."""
    closed_at = conversation.closed_at
    return closed_at is not None and closed_at <= now - TOLD_FOR


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
    due = db.execute(_all_due(now).limit(CLOSED_AT_ONCE)).mappings().all()
    for row in due:
        current(db, Conversation.of(row), now)
    return len(due)


def _settle(db: Connection, conversation: Conversation, now: datetime) -> Conversation:
    if conversation.state not in OPEN_STATES:
        return conversation
    visit = find_visit_state(db, conversation.site_id, conversation.visit_id)
    due = find_due(conversation, visit, now)
    if due is None:
        return conversation
    return close(db, conversation, due.state, due.by, now, due.at)


def _all_due(now: datetime) -> Select[Any]:
    """`find_due` of every conversation in one statement: thousands of them cost milliseconds."""
    is_open = col(Conversation.state) == ConversationState.OPEN.value
    accepted_at, message_at = col(Conversation.accepted_at), col(Conversation.message_at)
    offered_at = func.coalesce(col(Conversation.shown_at), col(Conversation.created_at))
    silent_since = now - CHAT_ENDS_AFTER
    of_visit = and_(
        col(Visit.site_id) == col(Conversation.site_id), col(Visit.id) == col(Conversation.visit_id)
    )
    return (
        select(Conversation)
        .outerjoin(Visit, of_visit)
        .where(
            col(Conversation.state).in_(sorted(OPEN_STATES)),
            or_(
                col(Visit.id).is_(None),
                ~visit_goes_on(col(Visit.last_activity_at), now),
                and_(is_open, accepted_at <= silent_since, message_at <= silent_since),
                and_(~is_open, offered_at <= now - INVITATION_EXPIRES_AFTER),
            ),
        )
    )


def _silent_at(conversation: Conversation) -> datetime:
    if conversation.state != ConversationState.OPEN:
        return (conversation.shown_at or conversation.created_at) + INVITATION_EXPIRES_AFTER
    moments = (conversation.accepted_at, conversation.message_at)
    return max(moment for moment in moments if moment) + CHAT_ENDS_AFTER
