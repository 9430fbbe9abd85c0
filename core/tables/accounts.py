"""Who is signed in, who was invited, and what signs the cookies."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index
from sqlmodel import Field

from core.tables.base import Table, moment


class AgentSite(Table, table=True):
    """A site that an account sees which is limited to some."""

    __table_args__: ClassVar[dict[str, bool]] = {"sqlite_with_rowid": False}

    agent_id: int = Field(primary_key=True)
    site_id: int = Field(primary_key=True)


class Session(Table, table=True):
    """A browser that is signed in; `id` is the hash of the token in its cookie.

    way: how it signed in (core/accounts/sessions.py). browser: in words, such as "Chrome, Windows".
    """

    __table_args__ = (Index("session_by_agent", "agent_id"),)

    id: str = Field(primary_key=True)
    agent_id: int
    way: str
    browser: str = ""
    created_at: datetime = moment()
    seen_at: datetime = moment()


class SignInLink(Table, table=True):
    """A link by which an account sets its password, once; `id` is the hash of the secret in it."""

    id: str = Field(primary_key=True)
    agent_id: int = Field(unique=True)
    created_at: datetime = moment()
    expires_at: datetime = moment()


class Secret(Table, table=True):
    """What this installation signs with."""

    name: str = Field(primary_key=True)
    value: str
