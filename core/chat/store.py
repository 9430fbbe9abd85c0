"""The rows of the chat: found, added and changed, each change with a revision of its own."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlmodel import col

from core.chat.notice import notify
from core.chat.words import Author
from core.moment import to_milliseconds
from core.tables import Conversation, Message

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_ID_LENGTH = 20
_TOKEN_LENGTH = 32
"""165 bits: who has not been given the token does not find it."""


def random_id(length: int = _ID_LENGTH) -> str:
    """So many of a-z0-9, which nobody can guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def find_conversation(db: Connection, site_id: int, conversation_id: str) -> Conversation | None:
    """The conversation with this id, or None."""
    return _find(db, col(Conversation.site_id) == site_id, col(Conversation.id) == conversation_id)


def find_by_token(db: Connection, site_id: int, token: str) -> Conversation | None:
    """The conversation whose visitor was given this token, or None."""
    return _find(db, col(Conversation.site_id) == site_id, col(Conversation.token) == token)


def add_conversation(db: Connection, now: datetime, **columns: Any) -> Conversation:
    """A new conversation, without a message yet."""
    conversation = Conversation(
        id=random_id(),
        token=random_id(_TOKEN_LENGTH),
        created_at=now,
        revision=_next_revision(db, now),
        **columns,
    )
    db.execute(insert(Conversation).values(**conversation.model_dump()))
    notify(db)
    return conversation


def change(
    db: Connection, conversation: Conversation, now: datetime, **columns: Any
) -> Conversation:
    """The conversation with these columns, and with a new revision."""
    values: dict[str, Any] = {**columns, "revision": _next_revision(db, now)}
    db.execute(
        update(Conversation)
        .where(
            col(Conversation.site_id) == conversation.site_id,
            col(Conversation.id) == conversation.id,
        )
        .values(**values)
    )
    notify(db)
    return Conversation.of({**conversation.model_dump(), **values})


def find_message(db: Connection, conversation: Conversation, client_id: str) -> Message | None:
    """The message that its sender gave this id, or None."""
    statement = select(Message).where(
        col(Message.site_id) == conversation.site_id,
        col(Message.conversation_id) == conversation.id,
        col(Message.client_id) == client_id,
    )
    row = db.execute(statement).mappings().one_or_none()
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
    """The conversation with one message more, and the message; both have the same revision.

    The agent who writes is the one who has the conversation.
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
    db.execute(insert(Message).values(**message.model_dump()))
    return changed, message


def _find(db: Connection, *conditions: Any) -> Conversation | None:
    row = db.execute(select(Conversation).where(*conditions)).mappings().one_or_none()
    return None if row is None else Conversation.of(row)


def _next_revision(db: Connection, now: datetime) -> int:
    """Above every one there is. It follows the clock, so that it grows though rows are deleted."""
    newest = db.execute(select(func.max(col(Conversation.revision)))).scalar_one()
    return max(to_milliseconds(now), (newest or 0) + 1)
