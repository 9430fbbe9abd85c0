"""The fixed words of the chat, and every length that its rules name."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from core.visits.presence import CHATTING_FOR, VISIT_ENDS_AFTER

CHAT_ENDS_AFTER = CHATTING_FOR
"""Without a message; at exactly 20:00 the conversation is over (reference)."""

INVITATION_EXPIRES_AFTER = timedelta(minutes=5)
"""After it was sent, or once shown after that: an answer later than this surprises both (own)."""

AGENT_AWAY_AFTER = timedelta(seconds=60)
"""An agent whose dashboard gave no sign for this long has gone (own; it gives one every 20 s)."""

TYPING_FOR = timedelta(seconds=6)
"""How long a word of somebody's typing holds; it is renewed every 3 s."""

TOLD_FOR = VISIT_ENDS_AFTER
"""After its end a conversation is still told to the visitor's browser (own)."""

LONGEST_MESSAGE = 2_000
"""Characters; what is longer is cut."""

MAX_MESSAGES = 2_000
"""Messages of one conversation; nobody who means to talk needs more."""


class ConversationState(StrEnum):
    """Where a conversation stands. The first three are an invitation's; `open` was accepted."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    SHOWN = "shown"
    OPEN = "open"
    DISMISSED = "dismissed"
    EXPIRED = "expired"
    ENDED = "ended"
    LEFT = "left"


INVITED_STATES = frozenset(
    (ConversationState.QUEUED, ConversationState.DELIVERED, ConversationState.SHOWN)
)
OPEN_STATES = INVITED_STATES | {ConversationState.OPEN}
"""A visit has at most one conversation in these: the partial index `conversation_open`."""


class OpenedBy(StrEnum):
    """Who began a conversation."""

    AGENT = "agent"
    RULE = "rule"
    VISITOR = "visitor"


class ClosedBy(StrEnum):
    """Who or what ended a conversation."""

    NOBODY = ""
    VISITOR = "visitor"
    AGENT = "agent"
    SILENCE = "silence"
    VISIT = "visit"


class Author(StrEnum):
    """Who wrote a message."""

    AGENT = "agent"
    VISITOR = "visitor"


class TemplateKind(StrEnum):
    """What a template is for."""

    INVITATION = "invitation"
    REPLY = "reply"


class Trigger(StrEnum):
    """What makes a rule invite: so many seconds, the k-th page, or the pointer leaving the page."""

    SECONDS = "seconds"
    PAGES = "pages"
    EXIT = "exit"
