"""The fixed words of the chat: the states of a conversation, and who did what."""

from __future__ import annotations

from enum import StrEnum


class ConversationState(StrEnum):
    """The states of a conversation. The first three are an invitation's; `open` was accepted."""

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
"""A visit has at most one conversation in these, or where people may share it, each tab of it one: the
partial index `conversation_open`."""


class OpenedBy(StrEnum):
    """Who began a conversation."""

    AGENT = "agent"
    RULE = "rule"
    VISITOR = "visitor"


class ClosedBy(StrEnum):
    """Who or what ended a conversation.

    CONSENT: the visitor has withdrawn it. OPT_OUT: or has opted out. PAGE: the visitor has left the
    page, and their browser stores nothing by which the next one could go on.
    """

    NOBODY = ""
    VISITOR = "visitor"
    AGENT = "agent"
    SILENCE = "silence"
    VISIT = "visit"
    CONSENT = "consent"
    OPT_OUT = "opt_out"
    PAGE = "page"


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
