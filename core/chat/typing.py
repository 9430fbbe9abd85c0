"""Who is typing: a report holds for a short time, so that it ends by itself when none follows."""

from __future__ import annotations

from datetime import datetime

from core.chat.limits import TYPING_FOR
from core.chat.states import Author
from core.tables import Conversation


def typing_until(conversation: Conversation, author: Author) -> datetime | None:
    """Until when this side counts as typing, by the server's clock; None: it was not since its last
    message, or the conversation is over."""
    reported_at: datetime | None = getattr(conversation, f"{author.value}_typing_at")
    return None if reported_at is None else reported_at + TYPING_FOR
