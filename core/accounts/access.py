"""Who may use the dashboard at this moment, as one answer of the database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection, insert, select
from sqlmodel import col

from core.accounts.accounts import list_accounts
from core.accounts.identity import Identity
from core.accounts.sessions import Way, lasting_sessions
from core.locks import lock_accounts
from core.tables import Secret

_COOKIES = "cookies"


@dataclass(frozen=True)
class Access:
    """has_accounts: whether anybody can sign in. sessions: who is behind each session's id.

    secret: what signs the cookies; "" until there is something to sign. has_passwords: whether anybody
    can sign in by a password. agent_ids: whose account has each e-mail address. by_proxy: the ids of the
    sessions that a proxy's header began.
    """

    has_accounts: bool = False
    sessions: Mapping[str, Identity] = field(default_factory=lambda: MappingProxyType({}))
    secret: str = ""
    has_passwords: bool = False
    agent_ids: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    by_proxy: frozenset[str] = frozenset()


def read_access(db: Connection, now: datetime) -> Access:
    """Everything that decides who gets in."""
    accounts = {account.id: account for account in list_accounts(db)}
    lasting = lasting_sessions(db, now)
    sessions = {
        session.id: Identity(account.id, account.role, account.site_ids, session.id)
        for session in lasting
        if (account := accounts.get(session.agent_id))
    }
    return Access(
        has_accounts=bool(accounts),
        sessions=MappingProxyType(sessions),
        secret=_secret(db),
        has_passwords=any(account.agent.password for account in accounts.values()),
        agent_ids=MappingProxyType({each.agent.email: each.id for each in accounts.values()}),
        by_proxy=frozenset(session.id for session in lasting if session.way == Way.PROXY),
    )


def existing_secret(db: Connection) -> str:
    """What signs the cookies, made now if there is none. For a transaction that writes."""
    lock_accounts(db)  # two may be the first at once
    found = _secret(db)
    if not found:
        found = secrets.token_urlsafe(32)
        db.execute(insert(Secret).values(name=_COOKIES, value=found))
    return found


def _secret(db: Connection) -> str:
    statement = select(col(Secret.value)).where(col(Secret.name) == _COOKIES)
    return db.execute(statement).scalar_one_or_none() or ""
