"""Retention: messages are deleted after a time of their own, conversations with their visits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select, tuple_
from sqlmodel import col

from core.tables import Conversation, Message


def forget_messages(db: Connection, site_id: int, before: datetime, limit: int) -> int:
    """Delete messages sent before the moment, at most `limit`; returns how many.

    Their conversations stay, without text, until their visits go.
    """
    key = (col(Message.conversation_id), col(Message.number))
    oldest = select(*key).where(col(Message.site_id) == site_id, col(Message.sent_at) < before)
    keys = [tuple(row) for row in db.execute(oldest.limit(limit)).all()]
    if keys:
        listed = tuple_(*key).in_(keys)
        db.execute(delete(Message).where(col(Message.site_id) == site_id, listed))
    return len(keys)


def forget_conversations(db: Connection, site_id: int, visit_ids: Sequence[str]) -> None:
    """Delete the conversations of these visits with their messages."""
    of_visits = select(col(Conversation.id)).where(
        col(Conversation.site_id) == site_id, col(Conversation.visit_id).in_(visit_ids)
    )
    ids = db.execute(of_visits).scalars().all()
    if not ids:
        return
    db.execute(
        delete(Message).where(
            col(Message.site_id) == site_id, col(Message.conversation_id).in_(ids)
        )
    )
    db.execute(
        delete(Conversation).where(
            col(Conversation.site_id) == site_id, col(Conversation.id).in_(ids)
        )
    )
