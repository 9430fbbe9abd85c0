"""Links by which an account sets its password, once: an invitation, or a new beginning.

The caller owns the transaction.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlmodel import col

from core.accounts.accounts import (
    Account,
    AccountError,
    existing_account,
    find_account,
    set_password,
)
from core.accounts.sessions import CLOCK_MAY_GO_BACK
from core.locks import lock_accounts
from core.random_id import digest
from core.tables import SignInLink

LINK_LASTS = timedelta(days=3)
"""A link that nobody has used ends after this (own)."""


def make_link(db: Connection, agent_id: int, now: datetime) -> str:
    """The secret of a new link for this account; an older one works no more. Raises AccountError."""
    lock_accounts(db)
    existing_account(db, agent_id)
    secret = secrets.token_urlsafe(32)
    db.execute(delete(SignInLink).where(col(SignInLink.agent_id) == agent_id))
    row = {"id": digest(secret), "agent_id": agent_id}
    db.execute(insert(SignInLink).values(**row, created_at=now, expires_at=now + LINK_LASTS))
    return secret


def find_link(db: Connection, secret: str, now: datetime) -> Account | None:
    """The account that the link with this secret is for; None when it was used or is too old."""
    agent_id = db.execute(select(col(SignInLink.agent_id)).where(*_works(secret, now)))
    found = agent_id.scalar_one_or_none()
    return None if found is None else find_account(db, found)


def use_link(db: Connection, secret: str, hashed: str, now: datetime) -> Account:
    """The account of the link, which has the password with this hash from now on; the link works no more.

    Raises AccountError when the link was used or is too old: of two who use it at once, for the second.
    """
    lock_accounts(db)
    account = find_link(db, secret, now)
    if account is None:
        raise AccountError("This link was used, or is too old: ask an admin for a new one.")
    set_password(db, account.id, hashed)
    return account


def link_path(secret: str) -> str:
    """Where the dashboard takes the link with this secret, below its own address."""
    return f"/sign-in/link?secret={secret}"


def invited_accounts(db: Connection, now: datetime) -> dict[int, datetime]:
    """The ids of the accounts for which there is a link that works, each with the link's end."""
    statement = select(SignInLink).where(*_lasts(now))
    rows = map(SignInLink.of, db.execute(statement).mappings())
    return {row.agent_id: row.expires_at for row in rows}


def _works(secret: str, now: datetime) -> tuple[Any, ...]:
    return (col(SignInLink.id) == digest(secret), *_lasts(now))


def _lasts(now: datetime) -> tuple[Any, ...]:
    """One that ends later than it can was made by a clock that was wrong."""
    expires_at = col(SignInLink.expires_at)
    return expires_at > now, expires_at <= now + LINK_LASTS + CLOCK_MAY_GO_BACK
