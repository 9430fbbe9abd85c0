"""Visit ids that the server derives. Those that the embed makes are random."""

import base64
from collections.abc import Sequence
from hashlib import blake2b

VisitKey = tuple[int, str]
"""A visit: the id of its site, and its own."""

MAX_SUCCESSORS = 200
"""Visits that one id may lead to: a browser that keeps no id begins at most 48 a day."""

_BYTES = 16
_LENGTH = 26
"""Of a derived id, of a-z and 2-7; the embed's own have 16 characters, their successors 27."""


def successor_id(site_id: int, ended_id: str, ordinal: int) -> str:
    """The id of the ordinal-th visit after an ended one, so that a retry finds the same visit.

    After a derived id it is one too; after an id that a browser keeps it is longer.
    """
    successor = _digest(f"{site_id}\n{ended_id}\n{ordinal}".encode(), key=b"successor")
    return successor if is_derived(ended_id) else f"s{successor}"


def derive_visit_ids(
    site_id: int, address: str, user_agent: str, salts: Sequence[str]
) -> tuple[str, ...]:
    """The ids of a browser that keeps none, one for each salt; without its salt none can be traced."""
    client = f"{site_id}\n{address}\n{user_agent}".encode("utf-8", "replace")
    return tuple([_digest(client, salt.encode()) for salt in salts])


def is_derived(visit_id: str) -> bool:
    """Whether the server made the id: several people may be behind it, where nothing is stored."""
    return len(visit_id) == _LENGTH


def _digest(text: bytes, key: bytes) -> str:
    digest = blake2b(text, digest_size=_BYTES, key=key).digest()
    return base64.b32encode(digest).decode().rstrip("=").lower()
