"""Visitors who have gone from an open chat, and come back to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, select
from sqlmodel import col

from core.chat.due import take_due
from core.chat.states import ConversationState
from core.chat.store import change
from core.moment import lasts_for
from core.tables import Conversation, Visit
from core.visits.liveness import is_in_view

VISITOR_GONE_AFTER = timedelta(seconds=60)
"""Without a page in view and without a sign for this long, nobody is there to read an answer (own)."""

NOTED_AT_ONCE = 200
"""Conversations that one transaction changes, so that beacons never wait long for it."""


def note_departures(db: Connection, now: datetime) -> int:
    """Set `gone_at` of the open conversations whose visitor has gone, to their last sign, and clear it where
    they are back; returns how many were changed, at most NOTED_AT_ONCE of each."""
    gone = take_due(db, _open_with(_is_gone(now), col(Conversation.gone_at).is_(None)))
    for conversation in gone:
        change(db, conversation, now, gone_at=_last_seen(db, conversation))
    back = take_due(db, _open_with(~_is_gone(now), col(Conversation.gone_at).is_not(None)))
    for conversation in back:
        change(db, conversation, now, gone_at=None)
    return len(gone) + len(back)


def _is_gone(now: datetime) -> ColumnElement[bool]:
    is_silent = ~lasts_for(VISITOR_GONE_AFTER, col(Visit.last_seen_at), now)
    return and_(is_silent, ~is_in_view(_visit, now))


def _open_with(*conditions: ColumnElement[bool]) -> Select[Any]:
    of_visit = and_(
        col(Visit.site_id) == col(Conversation.site_id), col(Visit.id) == col(Conversation.visit_id)
    )
    is_open = col(Conversation.state) == ConversationState.OPEN.value
    return (
        select(Conversation).join(Visit, of_visit).where(is_open, *conditions).limit(NOTED_AT_ONCE)
    )


def _last_seen(db: Connection, conversation: Conversation) -> datetime:
    of_visit = (
        col(Visit.site_id) == conversation.site_id,
        col(Visit.id) == conversation.visit_id,
    )
    return db.execute(select(col(Visit.last_seen_at)).where(*of_visit)).scalar_one()


_visit: Any = Visit
