"""A path as a person reads it: `/%D0%BA%D0%BE%D1%80%D0%B7%D0%B8%D0%BD%D0%B0` is /корзина."""

import re
from functools import lru_cache
from unicodedata import category, normalize

from core.enrich.invisible import drop_direction, drop_loose

# What would change the address if it stood there as it is.
_OF_PATHS = frozenset("/\\?#%")
_OF_QUERIES = _OF_PATHS | frozenset("&=+;")
# They show nothing, though Unicode counts them as letters, marks and symbols.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+|%")
_PART = re.compile(r"[^/?#&=+]+")
# A byte that stays escaped stands as a lone surrogate, as Python decodes such bytes.
_BYTE = re.compile("[\udc00-\udcff]")
_FIRST_BYTE = 0xDC00
_HALF_ESCAPE = re.compile(r"%[0-9A-F]?\Z")


def readable_path(path: str, limit: int) -> str:
    """The path decoded where its bytes are UTF-8 and safe to show, in NFC, at most `limit` characters.

    Escaped stay, or become: bytes that are no UTF-8, the signs of which an address is made, white
    space, control and bidi characters, and what is invisible and does no work where it stands. A
    readable path comes back as it is.
    """
    if path.isascii() and path.isprintable() and "%" not in path and " " not in path:
        return path[:limit]
    return _readable(path, limit)


@lru_cache(maxsize=1_024)
def _readable(path: str, limit: int) -> str:
    path, mark, query = path.partition("?")
    text = normalize("NFC", _decoded(path, _OF_PATHS) + mark + _decoded(query, _OF_QUERIES))
    text = _PART.sub(lambda part: _safe(part[0]), text)
    text = _BYTE.sub(lambda byte: f"%{ord(byte[0]) - _FIRST_BYTE:02X}", text)
    return text if len(text) <= limit else drop_loose(_HALF_ESCAPE.sub("", text[:limit]))


def _decoded(text: str, kept: frozenset[str]) -> str:
    def decode(escapes: re.Match[str]) -> str:
        # A percent sign of its own is escaped: else it might become part of an escape.
        codes = escapes[0].replace("%", "") or "25"
        chars = bytes.fromhex(codes).decode("utf-8", "surrogateescape")
        return "".join(_bytes_of(char) if char in kept else char for char in chars)

    return _ESCAPES.sub(decode, text)


def _safe(part: str) -> str:
    """The part with what must not be shown as bytes."""
    shown = _without_unsafe(part, hides=True)
    return shown if drop_loose(shown) == shown else _without_unsafe(part, hides=False)


def _without_unsafe(part: str, *, hides: bool) -> str:
    safe: list[str] = []
    for char in part:
        is_safe = _BYTE.match(char) or _is_safe(char, safe[-1] if safe else "", hides=hides)
        safe.append(char if is_safe else _bytes_of(char))
    return "".join(safe)


def _is_safe(char: str, before: str, *, hides: bool) -> bool:
    """Whether the character may be shown; `hides`: also an invisible one that may do some work."""
    kind = category(char)[0]
    if kind in "LNPS":
        return char not in _BLANK
    if char in _BLANK or drop_direction(char) == "":
        return False
    if drop_loose(char) == "" and not hides:
        return False
    if kind == "M":  # on what it belongs to: else it would sit on a slash or an escape
        return before != "" and (category(before[-1])[0] in "LMN" or category(before[-1]) == "So")
    return drop_loose(char) == ""


def _bytes_of(char: str) -> str:
    return "".join(chr(_FIRST_BYTE + byte) for byte in char.encode("utf-8", "surrogatepass"))
