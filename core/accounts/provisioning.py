"""Which account somebody gets whom another service has signed in: an issuer, or a trusted proxy.

The caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from sqlalchemy import Connection

from core.accounts.accounts import (
    Account,
    AccountError,
    add_account,
    find_by_email,
    find_by_subject,
    list_accounts,
    set_account,
    set_subject,
)
from core.accounts.identity import Role
from core.accounts.removed import is_removed
from core.agents import LONGEST_NAME
from core.enrich.text import clean
from core.locks import lock_accounts


class Denial(StrEnum):
    """Why somebody gets no account: a word, and the text for them, with the cure."""

    text: str

    def __new__(cls, word: str, text: str) -> Self:
        denial = str.__new__(cls, word)
        denial._value_ = word
        denial.text = text
        return denial

    NOT_ALLOWED = (
        "not-allowed",
        "There is no account for your e-mail address here. Ask an admin to invite you.",
    )
    UNVERIFIED = (
        "unverified",
        "Your sign-in service does not vouch for your e-mail address. Confirm the address there, "
        "then sign in again.",
    )
    NO_ROLE = (
        "no-role",
        "Your sign-in service gives you no role here. Ask whoever looks after it for one.",
    )
    REMOVED = (
        "removed",
        "Your account was removed. Ask an admin to invite you again.",
    )
    OTHER_PERSON = (
        "other-person",
        "The account with your e-mail address belongs to somebody else whom your sign-in service "
        "knows. Ask an admin to remove that account, and to invite you.",
    )


@dataclass(frozen=True)
class ExternalIdentity:
    """Somebody whom another service has signed in.

    email: an address that the service vouches for, as `folded_email` gives it; "" without one.
    subject: the issuer, a space and its id for them; "" of a service that has none. role: the one
    that the service gives them, None where it gives none.
    """

    email: str
    name: str = ""
    subject: str = ""
    role: Role | None = None


def provision(
    db: Connection, who: ExternalIdentity, allowed: Sequence[str] | None, now: datetime
) -> Account | Denial:
    """Their account, which is made if need be, with the role that the service gives.

    It is the account that knows the subject, else the one with the address, which then knows it. A new
    one is made for whom `allowed` lets in (None: everybody). Who was removed gets none by themselves.
    """
    lock_accounts(db)
    account = _existing(db, who) or _new(db, who, allowed, now)
    if isinstance(account, Denial):
        return account
    if who.subject:
        set_subject(db, account.id, who.subject)
    return _with_role(db, account, who.role)


def is_allowed(email: str, allowed: Sequence[str]) -> bool:
    """Whether the list has the address, or its domain: "@shop.example" or "shop.example".

    A domain stands for itself, not for those below it.
    """
    domain = email.rpartition("@")[2]
    return not {email, domain, f"@{domain}"}.isdisjoint(allowed)


def _existing(db: Connection, who: ExternalIdentity) -> Account | Denial | None:
    account = find_by_subject(db, who.subject)
    if account is not None:
        return account
    account = find_by_email(db, who.email)
    # An address may be given to somebody else one day; the issuer's id never is.
    if account is not None and _issuer(account.agent.subject) == _issuer(who.subject) != "":
        return Denial.OTHER_PERSON
    return account


def _new(
    db: Connection, who: ExternalIdentity, allowed: Sequence[str] | None, now: datetime
) -> Account | Denial:
    if not who.email:
        return Denial.UNVERIFIED
    if allowed is not None and not is_allowed(who.email, allowed):
        return Denial.NOT_ALLOWED
    if is_removed(db, who.email, who.subject):
        return Denial.REMOVED
    name = clean(who.name, LONGEST_NAME) or clean(who.email.partition("@")[0], LONGEST_NAME)
    return add_account(db, name, who.email, who.role or _first_role(db, who, allowed), now)


def _first_role(db: Connection, who: ExternalIdentity, allowed: Sequence[str] | None) -> Role:
    """Admin for whom the list names by address while there is no admin: the owner wrote it there."""
    is_named = who.email in (allowed or ())
    has_admin = any(account.role is Role.ADMIN for account in list_accounts(db))
    return Role.ADMIN if is_named and not has_admin else Role.AGENT


def _with_role(db: Connection, account: Account, role: Role | None) -> Account:
    if role is None or role is account.role:
        return account
    try:
        return set_account(db, account.id, role=role)
    except AccountError:
        return account  # the last admin stays one


def _issuer(subject: str) -> str:
    return subject.partition(" ")[0]
