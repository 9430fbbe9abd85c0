"""Conversations: opened by the visitor, read, ended."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlmodel import col

from core.chat.blocks import is_blocked
from core.chat.closing import close, cut_short, lock_conversation
from core.chat.invitations import open_conversations_of
from core.chat.limits import LONGEST_MESSAGE
from core.chat.messages import send_as_visitor
from core.chat.states import (
    INVITED_STATES,
    Author,
    ClosedBy,
    ConversationState,
    OpenedBy,
)
from core.chat.store import (
    add_conversation,
    add_message,
    change,
    find_conversation,
)
from core.chat.visit_chat import begin_chat, find_visit_state
from core.enrich.text import clean_lines
from core.locks import lock_site
from core.moment import EPOCH
from core.reasons import Reason, Refused
from core.tables import Conversation, Message
from core.visits.liveness import has_room, is_live
from core.visits.presence import VISIT_ENDS_AFTER
from core.visits.visit_id import is_derived

MOST_OPENED = 10
"""Conversations that one visit may open: nobody who means to talk needs more."""


def open_as_visitor(
    db: Connection,
    *,
    site_id: int,
    visit_id: str,
    tab: str,
    client_id: str,
    text: str,
    is_offered: bool,
    is_attended: bool,
    now: datetime,
) -> Conversation | Refused:
    """The conversation that begins with the visitor's message; `left` when no agent attends.

    The same client_id finds the same conversation. A visitor who was just invited answers the
    invitation instead. Otherwise the site must have a chat button, and a visit whose conversation
    goes on is refused: knowing the visit's id is not enough to get the conversation's token.
    `tab`: where people may share the visit, the only tab that may have the conversation, else "".
    """
    text = clean_lines(text, LONGEST_MESSAGE)
    if not text:
        return Refused(Reason.EMPTY)
    lock_site(db, site_id)
    visit = find_visit_state(db, site_id, visit_id)
    if visit is None or not is_live(visit, now):
        return Refused(Reason.NO_VISIT)
    if (opened := _opened_with(db, site_id, visit_id, tab, client_id)) is not None:
        return opened
    for other in open_conversations_of(db, site_id, visit_id, now):
        if other.tab in ("", tab):
            return _answer(db, other, tab, client_id, text, now)
    if not is_offered or is_blocked(db, site_id, visit_id, visit.visitor_id):
        return Refused(Reason.NOT_OFFERED)
    if not has_room(visit, visit_id, now):
        return Refused(Reason.CHATTING)
    if _count_opened(db, site_id, visit_id, now) >= MOST_OPENED:
        return Refused(Reason.TOO_MANY)
    return _open(db, site_id, visit_id, tab, client_id, text, is_attended, now)


def end(
    db: Connection, conversation: Conversation, by: ClosedBy, now: datetime
) -> Conversation | Refused:
    """The conversation, ended; one that has ended already stays as it is.

    An invitation becomes dismissed when the visitor ends it, else expired.
    """
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if found.closed_at is not None:
        return found
    if found.state in INVITED_STATES and by is ClosedBy.VISITOR:
        return close(db, found, ConversationState.DISMISSED, by, now)
    return cut_short(db, found, by, now)


def mark_typing(
    db: Connection, conversation: Conversation, author: Author, now: datetime
) -> Conversation | Refused:
    """Record that one side is typing at this moment."""
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if found.state != ConversationState.OPEN:
        return found
    return change(db, found, now, **{f"{author.value}_typing_at": now})


def mark_read(
    db: Connection, conversation: Conversation, author: Author, number: int, now: datetime
) -> Conversation | Refused:
    """Record that one side has read up to this message; the number never goes down."""
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    column = f"{author.value}_read"
    number = min(number, found.message_count)
    if number <= getattr(found, column):
        return found
    return change(db, found, now, **{column: number})


def _opened_with(
    db: Connection, site_id: int, visit_id: str, tab: str, client_id: str
) -> Conversation | None:
    statement = (
        select(Conversation)
        .join(
            Message,
            (col(Message.site_id) == col(Conversation.site_id))
            & (col(Message.conversation_id) == col(Conversation.id)),
        )
        .where(
            col(Conversation.site_id) == site_id,
            col(Conversation.visit_id) == visit_id,
            col(Conversation.tab) == tab,
            col(Message.client_id) == client_id,
            col(Message.author) == Author.VISITOR.value,
        )
    )
    row = db.execute(statement).mappings().first()
    return None if row is None else Conversation.of(row)


def _answer(
    db: Connection, other: Conversation, tab: str, client_id: str, text: str, now: datetime
) -> Conversation | Refused:
    """The visitor's invitation, accepted with this message.

    Once it was shown, the visitor's browser has its token: a request without it comes from elsewhere.
    """
    if other.state not in INVITED_STATES:
        return Refused(Reason.CHATTING)
    if other.state == ConversationState.SHOWN:
        return Refused(Reason.INVITED)
    other = change(db, other, now, tab=tab)
    said = send_as_visitor(db, other, client_id=client_id, text=text, now=now)
    if isinstance(said, Refused):
        return said
    return find_conversation(db, other.site_id, other.id) or Refused(Reason.NO_CONVERSATION)


def _count_opened(db: Connection, site_id: int, visit_id: str, now: datetime) -> int:
    """Of a visit that several people may share: in the last half hour, because it may last all day."""
    since = now - VISIT_ENDS_AFTER if is_derived(visit_id) else EPOCH
    statement = select(func.count()).where(
        col(Conversation.created_at) > since,
        col(Conversation.site_id) == site_id,
        col(Conversation.visit_id) == visit_id,
        col(Conversation.opened_by) == OpenedBy.VISITOR.value,
    )
    return db.execute(statement).scalar_one()


def _open(
    db: Connection,
    site_id: int,
    visit_id: str,
    tab: str,
    client_id: str,
    text: str,
    is_attended: bool,
    now: datetime,
) -> Conversation:
    state = ConversationState.OPEN if is_attended else ConversationState.LEFT
    opened = add_conversation(
        db,
        now,
        site_id=site_id,
        visit_id=visit_id,
        tab=tab,
        opened_by=OpenedBy.VISITOR.value,
        state=state.value,
        accepted_at=now if is_attended else None,
        closed_at=None if is_attended else now,
    )
    conversation, _ = add_message(
        db,
        opened,
        now,
        author=Author.VISITOR,
        text=text,
        client_id=client_id,
        waiting_since=now if is_attended else None,
    )
    if is_attended:
        begin_chat(db, conversation, now)
    return conversation
