"""Conversations: opened by the visitor, read, handed over, ended."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlmodel import col

from core.chat.closing import close, close_due, current
from core.chat.invitations import open_conversation_of
from core.chat.messages import say_as_visitor
from core.chat.states import (
    INVITED_STATES,
    LONGEST_MESSAGE,
    Author,
    ClosedBy,
    ConversationState,
    OpenedBy,
)
from core.chat.store import (
    add_conversation,
    add_message,
    change,
    find_by_token,
    find_conversation,
)
from core.chat.visit_chat import begin_chat, find_visit_state
from core.database import lock_visits
from core.enrich.text import clean_lines
from core.reasons import Reason, Refused
from core.tables import Conversation, Message

MOST_OPENED = 10
"""Conversations that one visit may open: nobody who means to talk needs more."""

__all__ = [
    "close_due",
    "end",
    "find_by_token",
    "find_conversation",
    "note_read",
    "note_typing",
    "open_as_visitor",
    "take_over",
]


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
    invitation instead; to begin, the site must offer it by a button. One that goes on is refused:
    who has the visit's id alone does not get its token. `tab`: the only one that may have the conversation, else "".
    """
    text = clean_lines(text, LONGEST_MESSAGE)
    if not text:
        return Refused(Reason.EMPTY)
    lock_visits(db)
    visit = find_visit_state(db, site_id, visit_id)
    if visit is None or not visit.is_live(now):
        return Refused(Reason.NO_VISIT)
    if (opened := _opened_with(db, site_id, visit_id, client_id)) is not None:
        return opened
    if (other := open_conversation_of(db, site_id, visit_id, now)) is not None:
        return _answer(db, other, tab, client_id, text, now)
    if not is_offered:
        return Refused(Reason.NOT_OFFERED)
    if visit.is_chatting(now):
        return Refused(Reason.CHATTING)
    if _count_opened(db, site_id, visit_id) >= MOST_OPENED:
        return Refused(Reason.TOO_MANY)
    return _open(db, site_id, visit_id, tab, client_id, text, is_attended, now)


def end(
    db: Connection, conversation: Conversation, by: ClosedBy, now: datetime
) -> Conversation | Refused:
    """The conversation, ended; one that is over already stays as it is.

    An invitation that its agent takes back has expired; to the visitor it is dismissed.
    """
    found = current(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if found.closed_at is not None:
        return found
    if found.state == ConversationState.OPEN:
        return close(db, found, ConversationState.ENDED, by, now)
    is_dismissed = by is ClosedBy.VISITOR
    state = ConversationState.DISMISSED if is_dismissed else ConversationState.EXPIRED
    return close(db, found, state, by, now)


def take_over(
    db: Connection, conversation: Conversation, agent_id: int, now: datetime
) -> Conversation | Refused:
    """The conversation, now this agent's. An invitation stays its sender's."""
    found = current(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if found.state in INVITED_STATES:
        return Refused(Reason.INVITED)
    if found.state != ConversationState.OPEN:
        return Refused(Reason.OVER)
    if found.agent_id == agent_id:
        return found
    return change(db, found, now, agent_id=agent_id, agent_typing_at=None)


def note_typing(
    db: Connection, conversation: Conversation, author: Author, now: datetime
) -> Conversation | Refused:
    """The one side is typing at this moment."""
    found = current(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if found.state != ConversationState.OPEN:
        return found
    return change(db, found, now, **{f"{author.value}_typing_at": now})


def note_read(
    db: Connection, conversation: Conversation, author: Author, number: int, now: datetime
) -> Conversation | Refused:
    """The one side has read up to this message; it never has read less than before."""
    found = current(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    column = f"{author.value}_read"
    number = min(number, found.message_count)
    if number <= getattr(found, column):
        return found
    return change(db, found, now, **{column: number})


def _opened_with(
    db: Connection, site_id: int, visit_id: str, client_id: str
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

    Once it was shown, the browser has its token: who has none is somebody else.
    """
    if other.state not in INVITED_STATES:
        return Refused(Reason.CHATTING)
    if other.state == ConversationState.SHOWN or other.tab not in ("", tab):
        return Refused(Reason.INVITED)
    other = change(db, other, now, tab=tab)
    said = say_as_visitor(db, other, client_id=client_id, text=text, now=now)
    if isinstance(said, Refused):
        return said
    return find_conversation(db, other.site_id, other.id) or Refused(Reason.NO_CONVERSATION)


def _count_opened(db: Connection, site_id: int, visit_id: str) -> int:
    statement = select(func.count()).where(
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
