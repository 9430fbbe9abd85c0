"""Random ids and secrets."""

import secrets

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_LENGTH = 20


def random_id(length: int = _LENGTH) -> str:
    """So many characters of a-z and 0-9 that nobody can guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
