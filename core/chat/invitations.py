"""Invitations: an agent or a rule offers a chat, and the visitor accepts or dismisses it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlmodel import col

from core.chat.closing import close, lock_conversation
from core.chat.limits import LONGEST_MESSAGE
from core.chat.states import (
    INVITED_STATES,
    OPEN_STATES,
    Author,
    ClosedBy,
    ConversationState,
    OpenedBy,
)
from core.chat.store import add_conversation, add_message, change, find_conversation
from core.chat.visit_chat import begin_chat, find_visit_state
from core.enrich.text import clean_lines
from core.locks import lock_site
from core.random_id import random_id
from core.reasons import Reason, Refused
from core.tables import IS_OPEN, ChatRule, Conversation
from core.visits.liveness import is_chatting, is_live


def invite(
    db: Connection,
    *,
    site_id: int,
    visit_id: str,
    agent_id: int,
    text: str,
    now: datetime,
    opened_by: OpenedBy = OpenedBy.AGENT,
    rule_id: str = "",
) -> Conversation | Refused:
    """The invitation, queued until the visitor's next beacon; its text is the first message.

    Refused when the visit is over, chatting, or has an invitation that is not answered yet.
    """
    text = clean_lines(text, LONGEST_MESSAGE)
    if not text:
        return Refused(Reason.EMPTY)
    lock_site(db, site_id)
    visit = find_visit_state(db, site_id, visit_id)
    if visit is None or not is_live(visit, now):
        return Refused(Reason.NO_VISIT)
    if is_chatting(visit, now):
        return Refused(Reason.CHATTING)
    if others := open_conversations_of(db, site_id, visit_id, now):
        is_open = any(other.state == ConversationState.OPEN for other in others)
        return Refused(Reason.CHATTING if is_open else Reason.INVITED)
    invitation = add_conversation(
        db,
        now,
        site_id=site_id,
        visit_id=visit_id,
        agent_id=agent_id,
        opened_by=opened_by.value,
        rule_id=rule_id,
        state=ConversationState.QUEUED.value,
    )
    invited, _ = add_message(
        db,
        invitation,
        now,
        author=Author.AGENT,
        agent_id=agent_id,
        text=text,
        client_id=random_id(),
    )
    return invited


def open_conversations_of(
    db: Connection, site_id: int, visit_id: str, now: datetime
) -> list[Conversation]:
    """The visit's open conversation or invitation; where people may share it, each tab may have one."""
    statement = select(Conversation).where(
        col(Conversation.site_id) == site_id,
        col(Conversation.visit_id) == visit_id,
        IS_OPEN,
    )
    rows = db.execute(statement).mappings().all()
    found = [lock_conversation(db, Conversation.of(row), now) for row in rows]
    return [each for each in found if each is not None and each.state in OPEN_STATES]


def mark_delivered(
    db: Connection, site_id: int, conversation_id: str, tab: str, now: datetime
) -> None:
    """Record that a response carried the invitation; `tab`: the only tab that may have it, else ""."""
    lock_site(db, site_id)
    found = find_conversation(db, site_id, conversation_id)
    if found is not None and found.state == ConversationState.QUEUED:
        state = ConversationState.DELIVERED.value
        change(db, found, now, state=state, delivered_at=now, tab=tab)


def mark_shown(db: Connection, conversation: Conversation, now: datetime) -> Conversation | Refused:
    """Record that the visitor sees the invitation; a repeated report changes nothing."""
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if found.state not in INVITED_STATES or found.state == ConversationState.SHOWN:
        return found
    _count(db, found, shown_count=1)
    return change(
        db,
        found,
        now,
        state=ConversationState.SHOWN.value,
        delivered_at=found.delivered_at or now,
        shown_at=now,
    )


def accept(db: Connection, conversation: Conversation, now: datetime) -> Conversation | Refused:
    """The conversation, accepted by the visitor and open; accepting twice changes nothing."""
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if found.state == ConversationState.OPEN:
        return found
    if found.state not in INVITED_STATES:
        return Refused(Reason.OVER)
    _count(db, found, shown_count=int(found.shown_at is None), accepted_count=1)
    accepted = change(
        db,
        found,
        now,
        state=ConversationState.OPEN.value,
        delivered_at=found.delivered_at or now,
        shown_at=found.shown_at or now,
        accepted_at=now,
    )
    begin_chat(db, accepted, now)
    return accepted


def dismiss(db: Connection, conversation: Conversation, now: datetime) -> Conversation | Refused:
    """The conversation, dismissed by the visitor; one that was accepted stays as it is."""
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if found.state not in INVITED_STATES:
        return found
    return close(db, found, ConversationState.DISMISSED, ClosedBy.VISITOR, now)


def _count(
    db: Connection, conversation: Conversation, *, shown_count: int = 0, accepted_count: int = 0
) -> None:
    """Add to the counts of the rule that invited."""
    if not conversation.rule_id:
        return
    db.execute(
        update(ChatRule)
        .where(
            col(ChatRule.site_id) == conversation.site_id, col(ChatRule.id) == conversation.rule_id
        )
        .values(
            shown_count=col(ChatRule.shown_count) + shown_count,
            accepted_count=col(ChatRule.accepted_count) + accepted_count,
        )
    )
