"""Passwords: which are taken, and how they are stored."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.settings import settings

SHORTEST_PASSWORD = 10
"""Characters. NIST SP 800-63B: length and a list of common ones, and no other rules."""

LONGEST_PASSWORD = 256
"""Characters, so that hashing takes no longer than it must."""

_COMMON = Path(__file__).with_name("common_passwords.txt")
_PRODUCT = "Visitor Monitor"
_UNTYPED = ("Cc", "Cs")
"""Control characters, which some programs cut a text at, and lone surrogates, which are no text."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""Argon2id with what OWASP's password storage cheat sheet gives as the least: 19 MiB, two rounds."""


class PasswordError(ValueError):
    """A password that is not taken; the text says why and what is."""


def check_password(password: str, *known: str) -> str:
    """The password, which may be used. Raises PasswordError.

    known: what everybody knows of the account, its name and its e-mail address. None of it may be the
    password, nor may the product's name and the dashboard's host, also with digits behind them.
    """
    if _untyped(password):
        raise PasswordError("The password has a character that no keyboard has: type it anew.")
    if min(len(password), len(_normal(password))) < SHORTEST_PASSWORD:
        raise PasswordError(
            f"The password is too short: take {SHORTEST_PASSWORD} characters or more."
        )
    if len(password) > LONGEST_PASSWORD:
        raise PasswordError(
            f"The password is too long: take at most {LONGEST_PASSWORD} characters."
        )
    if _normal(password).casefold() in _common():
        raise PasswordError("The password is one of the first that are tried: take another.")
    if _bare(password) in _words(known):
        raise PasswordError(
            "The password is what everybody knows, a name or an address: take another."
        )
    return password


def hash_password(password: str) -> str:
    """The hash to store, with its salt and parameters."""
    return _hasher.hash(_normal(password))


def is_password(stored: str, password: str) -> bool:
    """Whether the password is the one with this hash. It takes as long when there is no hash ("")."""
    can_be = len(password) <= LONGEST_PASSWORD and not _untyped(password)
    try:
        return (
            _hasher.verify(stored or _of_nobody(), _normal(password) if can_be else "")
            and bool(stored)
            and can_be
        )
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    """The same for what looks the same: keyboards write an accent as one character or as two."""
    return unicodedata.normalize("NFKC", password)


def _untyped(password: str) -> bool:
    return any(unicodedata.category(each) in _UNTYPED for each in password)


def _words(known: tuple[str, ...]) -> frozenset[str]:
    host = urlsplit(settings().dashboard_url).hostname or ""
    texts = (*known, _PRODUCT, host)
    parts = (part for text in texts for part in (text, text.partition("@")[0]))
    return frozenset(filter(None, map(_bare, parts)))


def _bare(text: str) -> str:
    """Letters and digits only, small, without the digits at the end."""
    kept = "".join(each for each in _normal(text).casefold() if each.isalnum())
    return kept.rstrip("0123456789")


@cache
def _of_nobody() -> str:
    return hash_password("the password of nobody")


@cache
def _common() -> frozenset[str]:
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
