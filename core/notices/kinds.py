"""The kinds of notices, and their names on a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from core.enrich.page_context import PageContext

FEWEST_MINUTES, MOST_MINUTES = 1, 60
"""How long a visitor is in Checkout or Cart before it is told (own)."""


class NoticeKind(StrEnum):
    """What can be told."""

    CHAT_WAITS = "chat_waits"
    MESSAGE_LEFT = "message_left"
    CHECKOUT = "checkout"
    CART = "cart"
    RETURNING = "returning"
    NAMED = "named"


STAYS: Mapping[NoticeKind, PageContext] = {
    NoticeKind.CHECKOUT: PageContext.IN_CHECKOUT,
    NoticeKind.CART: PageContext.CART,
}
"""Kinds that are told after some minutes in a page context."""

KIND_NAMES: Mapping[NoticeKind, str] = {
    NoticeKind.CHAT_WAITS: "A chat waits",
    NoticeKind.MESSAGE_LEFT: "A message was left",
    NoticeKind.CHECKOUT: "A visitor is in Checkout",
    NoticeKind.CART: "A visitor is in Cart",
    NoticeKind.RETURNING: "A visitor is back",
    NoticeKind.NAMED: "A visitor with a name",
}

CHAT_KINDS = (NoticeKind.CHAT_WAITS, NoticeKind.MESSAGE_LEFT)
"""Those that lead to a conversation; they are what is on at first."""


class NoticeError(ValueError):
    """A setting of notices that cannot be used; the text names the value and the cure."""


def check_kinds(kinds: Iterable[str]) -> list[str]:
    """The kinds in their usual order, each once. Raises NoticeError for one that is not known."""
    wanted = set(kinds)
    if unknown := wanted - set(NoticeKind):
        raise NoticeError(f"The kind '{min(unknown)}' is not known: choose one of the list.")
    return [kind.value for kind in NoticeKind if kind in wanted]


def check_minutes(minutes: int) -> int:
    """The minutes. Raises NoticeError outside of FEWEST_MINUTES to MOST_MINUTES."""
    if not FEWEST_MINUTES <= minutes <= MOST_MINUTES:
        raise NoticeError(
            f"{minutes} minutes cannot be used: write {FEWEST_MINUTES} to {MOST_MINUTES}."
        )
    return minutes
