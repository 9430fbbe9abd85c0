"""Conversations and their messages: those that changed, or are open.

Statements that run for every message are built once, as in core/chat/store.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)
from sqlmodel import col

from core.chat.conversation_facts import FoundConversation, RowKey, ids_by_site, of_ids
from core.chat.states import INVITED_STATES, OPEN_STATES, Author, ConversationState
from core.chat.store import CHANNEL
from core.feed import NOWHERE, FeedPlace, FeedSource
from core.sites import is_removed
from core.tables import IS_OPEN, Conversation, Message, Table

_conversation, _message = (Table.metadata.tables[name] for name in ("conversation", "message"))
_UNREAD = (
    select(func.count())
    .where(
        col(Message.site_id) == col(Conversation.site_id),
        col(Message.conversation_id) == col(Conversation.id),
        col(Message.number) > col(Conversation.agent_read),
        col(Message.author) == Author.VISITOR.value,
    )
    .correlate(Conversation)
    .scalar_subquery()
)
"""The visitor's messages that no agent has read."""
_IS_OF_REMOVED_SITE = is_removed(col(Conversation.site_id))
_find_open = (
    select(Conversation)
    .where(
        col(Conversation.site_id) == bindparam("of_site"),
        col(Conversation.state).in_(sorted(OPEN_STATES)),
    )
    .order_by(
        case((col(Conversation.state) == ConversationState.OPEN.value, 1), else_=0),
        col(Conversation.created_at),
        col(Conversation.id),
    )
)

_site = Table.metadata.tables["site"]
_newest_of_site = (
    select(func.max(_conversation.c.revision))
    .where(_conversation.c.site_id == _site.c.id)
    .correlate(_site)
    .scalar_subquery()
)
_find_newest = select(_site.c.id, _newest_of_site)
_find_changed, _find_said = (
    select(table)
    .where(table.c.site_id == bindparam("of_site"), table.c.revision > bindparam("after"))
    .order_by(table.c.revision)
    for table in (_conversation, _message)
)
_find_messages = (
    select(_message)
    .where(
        _message.c.site_id == bindparam("of_site"),
        _message.c.conversation_id == bindparam("of_id"),
    )
    .order_by(_message.c.number)
)
_find_messages_of = (
    select(_message)
    .where(
        _message.c.site_id == bindparam("of_site"),
        _message.c.conversation_id.in_(of_ids()),
    )
    .order_by(_message.c.conversation_id, _message.c.number)
)
_count_unread = select(col(Conversation.id), _UNREAD).where(
    col(Conversation.site_id) == bindparam("of_site"),
    col(Conversation.id).in_(of_ids()),
)


class Changes(NamedTuple):
    """Conversations and messages that have changed since a place, by revision.

    revision: the newest of all that is known with them. place: where whoever knows them goes on.
    """

    conversations: Sequence[Conversation]
    messages: Sequence[Message]
    revision: int
    place: FeedPlace = NOWHERE


def newest_place(db: Connection) -> FeedPlace:
    """The newest revision of each site's chats; without sites that have none."""
    return {row[0]: row[1] for row in db.execute(_find_newest) if row[1] is not None}


def newest_revision(db: Connection) -> int:
    """The newest revision there is; 0 without a conversation."""
    return max(newest_place(db).values(), default=0)


def changes_since(db: Connection, known: FeedPlace | int) -> Changes:
    """What has changed since this place, or since this revision on every site."""
    newest = newest_place(db)
    place = dict.fromkeys(newest, known) if isinstance(known, int) else known
    conversations: list[Conversation] = []
    said: list[Message] = []
    for site_id in [id for id, revision in newest.items() if revision > place.get(id, 0)]:
        after = {"of_site": site_id, "after": place.get(site_id, 0)}
        conversations += map(Conversation.of, db.execute(_find_changed, after).mappings())
        said += map(Message.of, db.execute(_find_said, after).mappings())
    # A site's newest revision may have been deleted: its place never falls.
    reached = {**place, **{id: max(newest[id], place.get(id, 0)) for id in newest}}
    return Changes(
        sorted(conversations, key=lambda each: each.revision),
        sorted(said, key=lambda each: each.revision),
        max(reached.values(), default=0),
        reached,
    )


CHAT_FEED = FeedSource("chat", CHANNEL, newest_place, changes_since)
"""How a feed follows the chats."""


def messages(db: Connection, site_id: int, conversation_id: str) -> Sequence[Message]:
    """The conversation's messages, by number."""
    keys = {"of_site": site_id, "of_id": conversation_id}
    return [Message.of(row) for row in db.execute(_find_messages, keys).mappings()]


def messages_of(
    db: Connection, conversations: Iterable[FoundConversation]
) -> Mapping[RowKey, Sequence[Message]]:
    """The messages of each conversation by number, by (site id, conversation id).

    One statement for up to AT_A_TIME conversations of a site.
    """
    found: defaultdict[RowKey, list[Message]] = defaultdict(list)
    for site_id, ids in ids_by_site((each.site_id, each.id) for each in conversations):
        rows = db.execute(_find_messages_of, {"of_site": site_id, "of_ids": ids})
        for message in map(Message.of, rows.mappings()):
            found[site_id, message.conversation_id].append(message)
    return found


def unread_counts(
    db: Connection, conversations: Sequence[Conversation]
) -> dict[tuple[int, str], int]:
    """The visitor's messages that no agent has read, by (site id, conversation id)."""
    found: dict[tuple[int, str], int] = {}
    for site_id, ids in ids_by_site((each.site_id, each.id) for each in conversations):
        counted = db.execute(_count_unread, {"of_site": site_id, "of_ids": ids})
        found |= {(site_id, row[0]): row[1] for row in counted}
    return found


def is_left() -> ColumnElement[bool]:
    """The condition that a message was left while nobody was there, and is not ticked off."""
    is_of_state = col(Conversation.state) == ConversationState.LEFT.value
    return and_(is_of_state, col(Conversation.done_at).is_(None))


def open_conversations(db: Connection) -> Sequence[Conversation]:
    """The conversations of all sites that go on, and messages that were left and are not ticked off.

    Whose visitor has gone last, who has waited longest for an answer first, then the newest.
    """
    goes_on = col(Conversation.state) == ConversationState.OPEN.value
    statement = (
        select(Conversation)
        .where(or_(goes_on, is_left()), ~_IS_OF_REMOVED_SITE)
        .order_by(
            case((col(Conversation.gone_at).is_(None), 0), else_=1),
            case((col(Conversation.waiting_since).is_(None), 1), else_=0),
            col(Conversation.waiting_since),
            col(Conversation.created_at).desc(),
            col(Conversation.id),
        )
    )
    return _conversations(db, statement)


def invitations(db: Connection) -> Sequence[Conversation]:
    """The invitations of all sites that are not answered yet, the newest first."""
    statement = (
        select(Conversation)
        .where(col(Conversation.state).in_(sorted(INVITED_STATES)), ~_IS_OF_REMOVED_SITE)
        .order_by(col(Conversation.created_at).desc(), col(Conversation.id))
    )
    return _conversations(db, statement)


def has_listed_conversation(db: Connection, site_id: int) -> bool:
    """Whether agents' lists have something of the site: a chat or an invitation that is not over, or
    a message that was left and is not ticked off."""
    of_site = select(col(Conversation.id)).where(col(Conversation.site_id) == site_id)
    listed = (of_site.where(IS_OPEN), of_site.where(is_left()))
    return any(db.execute(each.limit(1)).first() is not None for each in listed)


def conversations_of_visit(db: Connection, site_id: int, visit_id: str) -> Sequence[Conversation]:
    """Every conversation of the visit, the newest first."""
    statement = (
        select(Conversation)
        .where(col(Conversation.site_id) == site_id, col(Conversation.visit_id) == visit_id)
        .order_by(col(Conversation.created_at).desc(), col(Conversation.id))
    )
    return _conversations(db, statement)


def open_by_visit(db: Connection, site_id: int) -> dict[str, Conversation]:
    """The site's conversations and invitations that are not over, by visit.

    Of a visit that people share, a conversation before an invitation, and the newest one.
    """
    found = _conversations(db, _find_open, {"of_site": site_id})
    return {each.visit_id: each for each in found}


def open_by_visit_at(
    db: Connection, site_id: int, since: datetime, moment: datetime
) -> dict[str, Conversation]:
    """The same as it was at a past moment, of those that were created since another; each with its state then."""
    statement = select(Conversation).where(
        col(Conversation.site_id) == site_id,
        col(Conversation.created_at) >= since,
        col(Conversation.created_at) <= moment,
        or_(col(Conversation.closed_at).is_(None), col(Conversation.closed_at) > moment),
    )
    found = [
        Conversation.of({**row, "state": _state_at(row, moment).value})
        for row in db.execute(statement).mappings()
    ]
    ordered = sorted(
        found,
        key=lambda each: (each.state == ConversationState.OPEN, each.created_at, each.id),
    )
    return {each.visit_id: each for each in ordered}


def _state_at(conversation: Mapping[Any, Any], moment: datetime) -> ConversationState:
    """The furthest that it had come."""
    reached = {
        ConversationState.OPEN: conversation["accepted_at"],
        ConversationState.SHOWN: conversation["shown_at"],
        ConversationState.DELIVERED: conversation["delivered_at"],
    }
    states = (state for state, at in reached.items() if at is not None and at <= moment)
    return next(states, ConversationState.QUEUED)


def _conversations(
    db: Connection, statement: Any, values: Mapping[str, Any] | None = None
) -> Sequence[Conversation]:
    return [Conversation.of(row) for row in db.execute(statement, values).mappings()]
