"""Changing accounts from a page: what is refused is said, and what is done is in force at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from core.accounts.accounts import AccountError
from core.accounts.identity import Role
from core.accounts.passwords import PasswordError, check_password, hash_password
from core.agents import AgentError
from core.database import Connection
from core.deadline import DatabaseUnavailable
from pages.parts.notices import refusal_title
from pages.parts.texts import notice
from pages.parts.viewer import NotAllowed, write_as, write_for_all_sites
from pages.server.session_book import forget_guests

Done = TypeVar("Done")


def change_accounts(
    change: Callable[[Connection], Done], *, is_own: bool = False, title: str = "Not saved."
) -> Done | None:
    """What the change returns; None, with a notice that says why, when it is refused.

    is_own: it changes only the viewer's own account. Else only an admin of every site may: one of some
    sites could give themselves the others.
    """
    try:
        done = write_as(Role.VIEWER, change) if is_own else write_for_all_sites(change)
    except (AccountError, AgentError, NotAllowed, DatabaseUnavailable) as error:
        notice(str(error), title=refusal_title(error, title), kind="bad")
        return None
    forget_guests()
    return done


def hashed_password(password: str, again: str, *known: str) -> str:
    """The hash of a password that was written twice; "", with a notice that says why, when it is not taken.

    It takes some 50 ms of work: never within a transaction.
    """
    try:
        if password != again:
            raise PasswordError("The two passwords differ: write the same one twice.")
        return hash_password(check_password(password, *known))
    except PasswordError as error:
        notice(str(error), title="Not saved.", kind="bad")
        return ""
