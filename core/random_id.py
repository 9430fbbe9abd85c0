"""Random ids and secrets."""

import re
import secrets
from hashlib import sha256

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_LENGTH = 20
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def random_id(length: int = _LENGTH) -> str:
    """So many characters of a-z and 0-9 that nobody can guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def digest(secret: str) -> str:
    """What is stored of a secret that only has to be recognised: who reads it knows nothing of the secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_id(text: str) -> bool:
    """Whether there can be an id such as this: one from an address may have signs that Postgres refuses
    as a fault, such as NUL."""
    return _ID.fullmatch(text) is not None
