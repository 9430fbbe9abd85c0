"""The rows of the chat: found, added and changed, each change with a revision of its own.

Every message runs these statements under the lock of its site. So they are built once, and on the
tables: built for each call on the mapped classes, they take ten times as long.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, CursorResult, Update, bindparam, func, insert, select, update

from core.chat.states import Author
from core.moment import to_milliseconds
from core.postgres import notify
from core.random_id import is_id, random_id
from core.site_changes import note_changes
from core.tables import Conversation, Message, Table

CHANNEL = "visitor_monitor_chat"
"""The channel on which Postgres notifies `core.feed` of each commit that changes a chat."""

_UNSHOWN = frozenset(f"{author.value}_typing_at" for author in Author)
"""What changes of a conversation without a page of the site showing it."""

_TOKEN_LENGTH = 32
"""165 bits: nobody can guess a token."""

_conversation, _message = (Table.metadata.tables[name] for name in ("conversation", "message"))
_OF_SITE = _conversation.c.site_id == bindparam("of_site")
_OF_ID = (_OF_SITE, _conversation.c.id == bindparam("of_id"))
_find_by_id = select(_conversation).where(*_OF_ID)
_find_by_token = select(_conversation).where(
    _OF_SITE, _conversation.c.token == bindparam("of_token")
)
_find_by_client = select(_message).where(
    _message.c.site_id == bindparam("of_site"),
    _message.c.conversation_id == bindparam("of_id"),
    _message.c.client_id == bindparam("of_client"),
)
_OF_NUMBER = (
    _message.c.site_id == bindparam("of_site"),
    _message.c.conversation_id == bindparam("of_id"),
    _message.c.number == bindparam("of_number"),
)
_find_by_number = select(_message).where(*_OF_NUMBER)
_tell_message = update(_message).where(*_OF_NUMBER).values(revision=bindparam("new_revision"))
_find_newest = select(func.max(_conversation.c.revision)).where(_OF_SITE)
_insert_conversation, _insert_message = insert(_conversation), insert(_message)


def find_conversation(db: Connection, site_id: int, conversation_id: str) -> Conversation | None:
    """The conversation with this id, or None."""
    if not is_id(conversation_id):
        return None
    keys = {"of_site": site_id, "of_id": conversation_id}
    return _conversation_of(db.execute(_find_by_id, keys))


def find_by_token(db: Connection, site_id: int, token: str) -> Conversation | None:
    """The conversation whose visitor was given this token, or None."""
    keys = {"of_site": site_id, "of_token": token}
    return _conversation_of(db.execute(_find_by_token, keys))


def add_conversation(db: Connection, now: datetime, **columns: Any) -> Conversation:
    """A new conversation, without a message yet."""
    conversation = Conversation(
        id=random_id(),
        token=random_id(_TOKEN_LENGTH),
        created_at=now,
        revision=_next_revision(db, columns["site_id"], now),
        **columns,
    )
    db.execute(_insert_conversation, conversation.model_dump())
    notify(db, CHANNEL)
    note_changes(db, [conversation.site_id], to_milliseconds(now))
    return conversation


def change(
    db: Connection, conversation: Conversation, now: datetime, **columns: Any
) -> Conversation:
    """The conversation with these columns, and with a new revision."""
    values: dict[str, Any] = {**columns, "revision": _next_revision(db, conversation.site_id, now)}
    keys = {"of_site": conversation.site_id, "of_id": conversation.id}
    changes = {f"new_{name}": value for name, value in values.items()}
    db.execute(_update(tuple(values)), {**keys, **changes})
    notify(db, CHANNEL)
    if not columns.keys() <= _UNSHOWN:
        note_changes(db, [conversation.site_id], to_milliseconds(now))
    return Conversation.of({**conversation.model_dump(), **values})


def find_message(db: Connection, conversation: Conversation, client_id: str) -> Message | None:
    """The message that its sender gave this id, or None."""
    keys = {"of_site": conversation.site_id, "of_id": conversation.id, "of_client": client_id}
    row = db.execute(_find_by_client, keys).mappings().one_or_none()
    return None if row is None else Message.of(row)


def add_message(
    db: Connection,
    conversation: Conversation,
    now: datetime,
    *,
    author: Author,
    text: str,
    client_id: str,
    agent_id: int = 0,
    **columns: Any,
) -> tuple[Conversation, Message]:
    """The conversation with one more message, and the message; both have the same revision.

    An agent who writes becomes the conversation's agent.
    """
    number = conversation.message_count + 1
    moved = {"message_count": number, "message_at": now, **columns}
    changed = change(db, conversation, now, agent_id=agent_id or conversation.agent_id, **moved)
    message = Message(
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        number=number,
        author=author.value,
        agent_id=agent_id,
        client_id=client_id,
        text=text,
        sent_at=now,
        revision=changed.revision,
    )
    db.execute(_insert_message, message.model_dump())
    return changed, message


def tell_message(
    db: Connection, conversation: Conversation, number: int, now: datetime
) -> Message | None:
    """The message with a new revision, so that whoever follows the chats gets it anew; None when it is deleted."""
    changed = change(db, conversation, now)
    keys = {"of_site": conversation.site_id, "of_id": conversation.id, "of_number": number}
    db.execute(_tell_message, {**keys, "new_revision": changed.revision})
    row = db.execute(_find_by_number, keys).mappings().one_or_none()
    return None if row is None else Message.of(row)


@cache
def _update(columns: tuple[str, ...]) -> Update:
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    return update(_conversation).where(*_OF_ID).values(new)


def _conversation_of(found: CursorResult[Any]) -> Conversation | None:
    row = found.mappings().one_or_none()
    return None if row is None else Conversation.of(row)


def _next_revision(db: Connection, site_id: int, now: datetime) -> int:
    """Above every other of the site, whose lock is held until it is committed.

    It follows the clock, so that it grows even when rows are deleted.
    """
    newest = db.execute(_find_newest, {"of_site": site_id}).scalar_one()
    return max(to_milliseconds(now), (newest or 0) + 1)
