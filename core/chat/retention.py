"""Retention: messages are deleted after a time of their own, conversations with their visits.

A conversation that somebody may have on their screen cannot simply vanish: feeds tell of rows that change,
not of rows that are gone. So it ends first, without a visit and without a word, and its row goes later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, tuple_
from sqlmodel import col

from core.chat.closing import cut_short, lock_conversation
from core.chat.states import OPEN_STATES, ClosedBy, ConversationState
from core.chat.store import change
from core.locks import TAKE_WITHIN, take_sites
from core.moment import to_milliseconds
from core.tables import ChatBlock, Conversation, ConversationNote, MailAnswer, Message, Site

NO_VISIT = ""
"""The `visit_id` of a conversation that has been withdrawn: of nobody any more, and listed nowhere."""

TOLD_AFTER = timedelta(seconds=10)
"""By then every stream has heard of a change in a conversation, and its row may go."""


def forget_messages(db: Connection, site_id: int, before: datetime, limit: int) -> int:
    """Delete messages sent, and notes written, before the moment, at most `limit`; returns how many.

    Their conversations stay, without text, until their visits go.
    """
    said = _forget_words(db, Message, col(Message.sent_at), site_id, before, limit)
    written_at = col(ConversationNote.written_at)
    noted = _forget_words(db, ConversationNote, written_at, site_id, before, limit - said)
    return said + noted


def forget_conversations(db: Connection, site_id: int, visit_ids: Sequence[str]) -> None:
    """Delete the conversations of these visits with their messages and notes, and the visits' blocks."""
    of_blocked = col(ChatBlock.visit_id).in_(visit_ids)
    db.execute(delete(ChatBlock).where(col(ChatBlock.site_id) == site_id, of_blocked))
    of_visits = select(col(Conversation.id)).where(
        col(Conversation.site_id) == site_id, col(Conversation.visit_id).in_(visit_ids)
    )
    ids = db.execute(of_visits).scalars().all()
    if not ids:
        return
    _delete_words(db, site_id, ids)
    db.execute(
        delete(Conversation).where(
            col(Conversation.site_id) == site_id, col(Conversation.id).in_(ids)
        )
    )


def withdraw_conversations(
    db: Connection, site_id: int, visit_ids: Sequence[str], now: datetime
) -> None:
    """End the conversations of these visits that somebody may be looking at, and delete their messages.

    Their rows are of no visit from now on, and go by `delete_withdrawn`. The others are left as they are.
    """
    of_visits = select(Conversation).where(
        col(Conversation.site_id) == site_id, col(Conversation.visit_id).in_(visit_ids)
    )
    found = [Conversation.of(row) for row in db.execute(of_visits).mappings()]
    for conversation in [each for each in found if not _is_told(each, now)]:
        _withdraw(db, conversation, now)


def delete_withdrawn(db: Connection, now: datetime, told_after: timedelta = TOLD_AFTER) -> int:
    """Delete the withdrawn conversations of whose end everybody has heard; returns how many.

    Those of a site that somebody else writes for longer are left for the next time.
    """
    before = to_milliseconds(now - told_after)
    told: defaultdict[int, list[str]] = defaultdict(list)
    sites = db.execute(select(col(Site.id))).scalars().all()
    # Few at any time. By their revisions too, SQLite would look through all conversations that have a visit.
    withdrawn = select(
        col(Conversation.site_id), col(Conversation.id), col(Conversation.revision)
    ).where(col(Conversation.site_id).in_(sites), col(Conversation.visit_id) == NO_VISIT)
    for site_id, id, revision in db.execute(withdrawn).tuples():
        if revision < before:
            told[site_id].append(id)
    deleted = 0
    for site_id in sorted(take_sites(db, list(told), TAKE_WITHIN)):
        are_these = (col(Conversation.site_id) == site_id, col(Conversation.id).in_(told[site_id]))
        deleted += db.execute(delete(Conversation).where(*are_these)).rowcount
    return deleted


def _is_told(conversation: Conversation, now: datetime) -> bool:
    """Whether no list has it, and whoever looks at it knows how it stands."""
    is_left = conversation.state == ConversationState.LEFT and conversation.done_at is None
    is_new = conversation.revision >= to_milliseconds(now - TOLD_AFTER)
    return not (conversation.state in OPEN_STATES or is_left or is_new)


def _withdraw(db: Connection, conversation: Conversation, now: datetime) -> None:
    found = lock_conversation(db, conversation, now)
    if found is None:
        return
    if found.state in OPEN_STATES:
        found = cut_short(db, found, ClosedBy.VISIT, now)
    _delete_words(db, found.site_id, [found.id])
    counts = {"message_count": 0, "agent_read": 0, "visitor_read": 0, "note_count": 0}
    words = {"email": "", "rating": "", "rating_text": ""}
    is_left = found.state == ConversationState.LEFT
    done_at = found.done_at or now if is_left else None
    change(db, found, now, visit_id=NO_VISIT, done_at=done_at, **words, **counts)


def _forget_words(
    db: Connection,
    table: type[Message] | type[ConversationNote],
    at: Any,
    site_id: int,
    before: datetime,
    limit: int,
) -> int:
    key = (col(table.conversation_id), col(table.number))
    oldest = select(*key).where(col(table.site_id) == site_id, at < before).order_by(at)
    keys = [tuple(row) for row in db.execute(oldest.limit(limit)).all()] if limit else []
    if keys:
        # By the conversations first: of pairs SQLite would look through all messages of the site.
        of_these = col(table.conversation_id).in_({id for id, _ in keys})
        listed = tuple_(*key).in_(keys)
        db.execute(delete(table).where(col(table.site_id) == site_id, of_these, listed))
        if table is Message:
            _forget_mails(db, site_id, keys)
    return len(keys)


def _forget_mails(db: Connection, site_id: int, keys: Sequence[Any]) -> None:
    """Delete how these messages went by mail; what is on its way is not sent."""
    key = (col(MailAnswer.conversation_id), col(MailAnswer.number))
    of_these = col(MailAnswer.conversation_id).in_({id for id, _ in keys})
    listed = tuple_(*key).in_(keys)
    db.execute(delete(MailAnswer).where(col(MailAnswer.site_id) == site_id, of_these, listed))


def _delete_words(db: Connection, site_id: int, conversation_ids: Sequence[str]) -> None:
    """Delete what was said and noted in these conversations, and how it went by mail."""
    for table in (Message, MailAnswer, ConversationNote):
        ids = col(table.conversation_id)
        db.execute(delete(table).where(col(table.site_id) == site_id, ids.in_(conversation_ids)))
