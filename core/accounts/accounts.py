"""The accounts: agents who can sign in. The caller owns the transaction.

An account is an agent with a role. Without one, an agent is a name that somebody gave where nobody
had to sign in; their chats stay theirs when they become an account.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import idna
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlmodel import col

from core.accounts.identity import Role, limit_of
from core.accounts.removed import removal_mark
from core.accounts.sessions import end_sessions
from core.agents import add_agent, change_agent, new_secret
from core.enrich.text import clean
from core.locks import lock_accounts, lock_site
from core.random_id import digest
from core.sites import has_site
from core.tables import Agent, AgentNotices, AgentSite, SignInLink

LONGEST_EMAIL = 254
"""Characters, RFC 5321."""

_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
"""ASCII only: other letters can be made to look like these, or become these in small letters."""


class AccountError(ValueError):
    """An account's value that cannot be used; the text names the value and the cure."""


@dataclass(frozen=True)
class Account:
    """An agent who can sign in. site_ids: those they see, None for all."""

    agent: Agent
    role: Role
    site_ids: frozenset[int] | None

    @property
    def id(self) -> int:
        """The agent's id."""
        assert self.agent.id is not None
        return self.agent.id


def list_accounts(db: Connection) -> list[Account]:
    """Every account, in the order in which the agents came."""
    return _accounts(db)


def find_account(db: Connection, agent_id: int) -> Account | None:
    """The account of this agent, or None."""
    return next(iter(_accounts(db, col(Agent.id) == agent_id)), None)


def existing_account(db: Connection, agent_id: int) -> Account:
    """The account of this agent. Raises AccountError when they have none."""
    account = find_account(db, agent_id)
    if account is None:
        raise AccountError("This account does not exist any more: see the list of accounts.")
    return account


def find_by_email(db: Connection, email: str) -> Account | None:
    """The account with this e-mail address, or None; it may be written as `check_email` takes it."""
    folded = folded_email(email)
    return next(iter(_accounts(db, col(Agent.email) == folded)), None) if folded else None


def find_by_subject(db: Connection, subject: str) -> Account | None:
    """The account that OpenID Connect knows by this issuer and id, or None."""
    if not subject or "\0" in subject:  # Postgres takes no NUL
        return None
    return next(iter(_accounts(db, col(Agent.subject) == subject)), None)


def count_accounts(db: Connection) -> int:
    """How many agents can sign in."""
    statement = select(func.count()).select_from(Agent).where(col(Agent.role) != "")
    return db.execute(statement).scalar_one()


def add_account(db: Connection, name: str, email: str, role: Role, now: datetime) -> Account:
    """The new account, without a password. Raises AgentError and AccountError."""
    lock_accounts(db)
    email = check_email(email)
    _refuse_taken(db, email, 0)
    agent = add_agent(db, name, now)
    assert agent.id is not None
    _set(db, agent.id, email=email, role=role.word, is_available=False)
    return existing_account(db, agent.id)


def set_account(
    db: Connection,
    agent_id: int,
    *,
    name: str | None = None,
    email: str | None = None,
    role: Role | None = None,
) -> Account:
    """The account as it is now; an agent who was none becomes one by a role and an e-mail address.

    Raises AgentError and AccountError; the last admin stays one.
    """
    lock_accounts(db)
    agent = change_agent(db, agent_id, name=name)
    values: dict[str, Any] = {}
    if email is not None:
        values["email"] = check_email(email)
        _refuse_taken(db, values["email"], agent_id)
    if role is not None:
        if role < Role.ADMIN:
            _refuse_last_admin(db, agent_id)
        values["role"] = role.word
    if not (values.get("role", agent.role) and values.get("email", agent.email)):
        raise AccountError("To become an account, an agent needs a role and an e-mail address.")
    if not agent.role:
        end_sessions(db, agent_id)  # one may have begun while the account was being removed
        values["subject"] = ""  # what marks them as removed
    if values:
        _set(db, agent_id, **values)
    return existing_account(db, agent_id)


def limit_account(db: Connection, agent_id: int, site_ids: Collection[int] | None) -> Account:
    """The account, which from now on sees only these sites; None: every one. Raises AccountError."""
    lock_accounts(db)
    existing_account(db, agent_id)
    for site_id in sorted(site_ids or ()):
        lock_site(db, site_id)
    # A deleted site's id may be given to another one: no row waits for that.
    if not all(has_site(db, site_id) for site_id in site_ids or ()):
        raise AccountError("One of these sites is deleted: choose anew.")
    if site_ids is not None:
        _refuse_last_admin(db, agent_id)
    db.execute(delete(AgentSite).where(col(AgentSite.agent_id) == agent_id))
    rows = [{"agent_id": agent_id, "site_id": site_id} for site_id in sorted(set(site_ids or ()))]
    if rows:
        db.execute(insert(AgentSite), rows)
    _set(db, agent_id, is_limited=site_ids is not None)
    return existing_account(db, agent_id)


def set_password(db: Connection, agent_id: int, hashed: str, *, keep_session: str = "") -> None:
    """Give the account the password with this hash; it ends its sessions but the one kept.

    Hashed before the transaction, which others wait for; "" takes the password away. Raises AccountError.
    """
    lock_accounts(db)
    existing_account(db, agent_id)
    _set(db, agent_id, password=hashed)
    db.execute(delete(SignInLink).where(col(SignInLink.agent_id) == agent_id))
    end_sessions(db, agent_id, but=keep_session)


def change_password(
    db: Connection, agent_id: int, verified: str, hashed: str, *, keep_session: str = ""
) -> None:
    """Give the account the password with this hash in place of the one whose hash was verified.

    Both take their time before the transaction. Raises AccountError when the password was changed since.
    """
    lock_accounts(db)
    check_verified(db, agent_id, verified)
    set_password(db, agent_id, hashed, keep_session=keep_session)


def check_verified(db: Connection, agent_id: int, verified: str) -> None:
    """Raises AccountError when the password is no longer the one whose hash was verified."""
    if existing_account(db, agent_id).agent.password != verified:
        raise AccountError("The password was changed meanwhile: sign in with the new one.")


def set_subject(db: Connection, agent_id: int, subject: str) -> None:
    """Remember by which issuer and id OpenID Connect knows the account. Raises AccountError."""
    lock_accounts(db)
    other = find_by_subject(db, subject)
    if other is not None and other.id != agent_id:
        raise AccountError(f"{other.agent.name} is known by this identity already.")
    _set(db, agent_id, subject=subject)


def remove_account(db: Connection, agent_id: int) -> Agent:
    """The agent, who can sign in no more; their name stays in their chats.

    Raises AccountError for the last admin while there are others.
    """
    lock_accounts(db)
    agent = existing_account(db, agent_id).agent
    if count_accounts(db) > 1:
        _refuse_last_admin(db, agent_id)
    end_sessions(db, agent_id)
    for table in (AgentNotices, AgentSite, SignInLink):
        db.execute(delete(table).where(col(table.agent_id) == agent_id))
    nothing = {"email": "", "role": "", "password": "", "subject": removal_mark(agent)}
    key = digest(new_secret())  # a browser may know the old one
    _set(db, agent_id, **nothing, is_limited=False, is_available=False, key=key)
    return agent


def check_email(email: str) -> str:
    """The address as it is stored. Raises AccountError when it is none.

    In small letters, the domain as the network writes it: ann@xn--mller-kva.example may also be written
    Ann@Müller.example. Before the @ only what every mail server takes: letters of ASCII, digits, signs.
    """
    folded = folded_email(email)
    if not folded:
        shown = clean(email, 60)
        raise AccountError(f"'{shown}' is no e-mail address: write one such as ann@shop.example.")
    return folded


def folded_email(email: str) -> str:
    """The address as it is stored, "" for what is none: one for all the ways to write it."""
    local, at, domain = email.strip().rstrip(".").rpartition("@")
    if not (at and local.isascii() and len(email) <= 2 * LONGEST_EMAIL):
        return ""
    try:
        host = idna.encode(domain, uts46=True).decode().lower()
    except idna.IDNAError:
        return ""
    folded = f"{local.lower()}@{host}"
    is_address = _LOCAL_PART.fullmatch(local.lower()) and len(folded) <= LONGEST_EMAIL
    return folded if is_address else ""


def _refuse_taken(db: Connection, email: str, agent_id: int) -> None:
    other = find_by_email(db, email)
    if other is not None and other.id != agent_id:
        raise AccountError(f"{other.agent.name} has the address {email} already: take another.")


def _refuse_last_admin(db: Connection, agent_id: int) -> None:
    """Nobody could change accounts any more: one who is limited to some sites cannot."""
    is_admin = (col(Agent.role) == Role.ADMIN.word) & ~col(Agent.is_limited)
    if list(db.execute(select(col(Agent.id)).where(is_admin)).scalars()) == [agent_id]:
        raise AccountError(
            "This is the last admin: make another account an admin first, one of every site."
        )


def _set(db: Connection, agent_id: int, **values: Any) -> None:
    db.execute(update(Agent).where(col(Agent.id) == agent_id).values(**values))


def _accounts(db: Connection, *conditions: Any) -> list[Account]:
    statement = select(Agent).where(col(Agent.role) != "", *conditions).order_by(col(Agent.id))
    agents = [Agent.of(row) for row in db.execute(statement).mappings()]
    sites: dict[int, set[int]] = {}
    for row in db.execute(select(AgentSite)):
        sites.setdefault(row.agent_id, set()).add(row.site_id)
    return [
        Account(agent, role, limit_of(agent.is_limited, sites.get(agent.id or 0, ())))
        for agent in agents
        if (role := Role.of(agent.role))
    ]
