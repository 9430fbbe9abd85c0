"""The agents, their conversations with visitors, and what a site sets for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field

from core.tables.base import PartialIndex, Table, moment

IS_OPEN: Any = text("state IN ('queued', 'delivered', 'shown', 'open')")
"""Not over. A query with exactly this condition may use the index `conversation_open`."""


class Agent(Table, table=True):
    """A person who uses the dashboard; with a role, an account: somebody who can sign in.

    key: the hash of the secret of their browser, for an agent who is no account. password: its hash, "" without
    one. subject: the issuer and the id that OpenID Connect knows them by. is_limited: they see the
    sites of AgentSite only.
    """

    __table_args__ = (
        PartialIndex(
            "agent_by_email",
            "email",
            unique=True,
            where=text("email <> ''"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    name: str
    is_available: bool = True
    seen_at: datetime = moment()
    created_at: datetime = moment()
    email: str = ""
    role: str = ""
    password: str = ""
    subject: str = ""
    is_limited: bool = False


class Conversation(Table, table=True):
    """One chat, from its invitation or the visitor's first word to its end."""

    __table_args__ = (
        Index("conversation_by_visit", "site_id", "visit_id", "created_at"),
        PartialIndex(
            "conversation_open",
            "site_id",
            "visit_id",
            "tab",
            unique=True,
            where=IS_OPEN,
        ),
        Index("conversation_by_state", "state", "site_id", "done_at"),
        Index("conversation_by_token", "site_id", "token", unique=True),
        Index("conversation_by_revision", "site_id", "revision"),
        Index("conversation_by_creation", "site_id", "created_at"),
    )

    site_id: int = Field(primary_key=True)
    id: str = Field(primary_key=True)
    visit_id: str
    token: str
    tab: str = ""
    opened_by: str
    rule_id: str = ""
    agent_id: int = 0
    state: str
    created_at: datetime = moment()
    delivered_at: datetime | None = moment(default=None)
    shown_at: datetime | None = moment(default=None)
    accepted_at: datetime | None = moment(default=None)
    closed_at: datetime | None = moment(default=None)
    closed_by: str = ""
    message_at: datetime | None = moment(default=None)
    waiting_since: datetime | None = moment(default=None)
    message_count: int = 0
    agent_read: int = 0
    visitor_read: int = 0
    agent_typing_at: datetime | None = moment(default=None)
    visitor_typing_at: datetime | None = moment(default=None)
    revision: int = Field(sa_type=BigInteger)
    email: str = ""
    vacated_at: datetime | None = moment(default=None)
    given_at: datetime | None = moment(default=None)
    gone_at: datetime | None = moment(default=None)
    note_count: int = 0
    done_at: datetime | None = moment(default=None)
    done_by: int = 0
    rating: str = ""
    rating_text: str = Field(default="", sa_type=Text)


class Message(Table, table=True):
    """One line of a conversation."""

    __table_args__ = (
        Index("message_by_client", "site_id", "conversation_id", "client_id", unique=True),
        Index("message_by_revision", "site_id", "revision"),
        Index("message_by_time", "site_id", "sent_at"),
    )

    site_id: int = Field(primary_key=True)
    conversation_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    author: str
    agent_id: int = 0
    client_id: str
    text: str = Field(sa_type=Text)
    sent_at: datetime = moment()
    revision: int = Field(sa_type=BigInteger)


class ConversationNote(Table, table=True):
    """What an agent wrote about a conversation, for agents only."""

    __table_args__ = (Index("conversation_note_by_time", "site_id", "written_at"),)

    site_id: int = Field(primary_key=True)
    conversation_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    agent_id: int
    client_id: str
    text: str = Field(sa_type=Text)
    written_at: datetime = moment()


class ChatBlock(Table, table=True):
    """A visit, or a remembered visitor, who begins no chat any more.

    visitor: who it was, in an agent's words for a list. visitor_id: "" where visitors are not remembered.
    """

    __table_args__ = (
        Index("chat_block_by_visit", "site_id", "visit_id"),
        Index("chat_block_by_visitor", "site_id", "visitor_id"),
    )

    site_id: int = Field(primary_key=True)
    id: str = Field(primary_key=True)
    visit_id: str
    visitor_id: str = ""
    visitor: str = ""
    agent_id: int
    blocked_at: datetime = moment()


class ChatTemplate(Table, table=True):
    """A text that agents use again: an invitation or a reply."""

    site_id: int = Field(primary_key=True)
    id: str = Field(primary_key=True)
    kind: str
    text: str = Field(sa_type=Text)
    used_at: datetime | None = moment(default=None)
    created_at: datetime = moment()


class ChatRule(Table, table=True):
    """When a site invites by itself."""

    site_id: int = Field(primary_key=True)
    id: str = Field(primary_key=True)
    trigger: str
    threshold: int = 0
    page_context: str = ""
    text: str = Field(sa_type=Text)
    is_enabled: bool = False
    daily_cap: int
    quiet_from: int = 0
    quiet_until: int = 0
    shown_count: int = 0
    accepted_count: int = 0
    created_at: datetime = moment()
