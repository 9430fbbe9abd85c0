"""What a visitor says of a conversation after its end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from core.chat.blocks import has_blocked_visitor
from core.chat.closing import lock_conversation
from core.chat.states import ConversationState
from core.chat.store import change
from core.enrich.text import clean
from core.reasons import Reason, Refused
from core.tables import Conversation

LONGEST_REASON = 500
"""Characters of what is said beside the rating; the rest is cut."""


class Rating(StrEnum):
    """The two faces."""

    GOOD = "good"
    BAD = "bad"


def rate(
    db: Connection, conversation: Conversation, rating: Rating, text: str, now: datetime
) -> Conversation | Refused:
    """The conversation with its rating, once it has ended.

    A visitor who is blocked rates nothing. The first rating holds, and so does the first text, which may come after it.
    """
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if has_blocked_visitor(db, found):
        return Refused(Reason.NOT_OFFERED)
    if found.state != ConversationState.ENDED:
        return Refused(Reason.OVER if found.closed_at is not None else Reason.CHATTING)
    rated = found.rating or rating.value
    said = found.rating_text or clean(text, LONGEST_REASON)
    if (rated, said) == (found.rating, found.rating_text):
        return found
    return change(db, found, now, rating=rated, rating_text=said)
