"""The e-mail address at which a visitor wants their answer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from core.chat.closing import lock_conversation
from core.chat.store import change
from core.reasons import Reason, Refused
from core.tables import Conversation

LONGEST_ADDRESS = 254
"""Characters (RFC 5321, 4.5.3.1.3, without the angle brackets)."""

_PART = r"[^@\s\"<>(),:;\\\x00-\x1f\x7f]+"
ADDRESS = f"{_PART}@{_PART}"
"""A regular expression of what can be written to, and is one address alone where it stands in a mail's head:
less strict than browsers' own fields are, so that what a visitor's browser takes is taken."""


def set_email(
    db: Connection, conversation: Conversation, email: str, now: datetime
) -> Conversation | Refused:
    """The conversation with this address, which is one already (`ADDRESS`); a later one takes its place."""
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    return found if found.email == email else change(db, found, now, email=email)
