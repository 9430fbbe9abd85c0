"""A JSON body, decoded strictly: a wrong type refuses it, half characters are replaced."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

MAX_NUMBER = 2**31 - 1
"""The highest number of an event or a message: what an integer column of Postgres holds."""

# \Z and not $, which a line feed at the end would pass.
SiteKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
VisitId = Annotated[str, Meta(pattern=r"^([a-z0-9]{16,40})?\Z")]

Body = TypeVar("Body")


class Malformed(Struct, frozen=True):
    """The body is not what it should be. message: one line that says where."""

    message: str


def decode(decoder: Callable[[bytes], Body], body: bytes) -> Body | Malformed:
    """The decoded body. A lone surrogate or a stray byte is replaced by U+FFFD."""
    try:
        return decoder(body)
    except (ValueError, RecursionError):
        try:
            return decoder(_without_halves(body))
        except (ValueError, RecursionError) as error:
            return Malformed(str(error).partition("\n")[0])


def _without_halves(body: bytes) -> bytes:
    """The body with U+FFFD in place of each half character."""
    text = body.decode("utf-8", "replace").encode()
    return _ESCAPE.sub(_replace_lone, text)


_ESCAPE = re.compile(
    rb"\\(?:u(?P<high>d[89ab][0-9a-f]{2})\\u(?P<low>d[c-f][0-9a-f]{2})"
    rb"|u(?P<lone>d[89a-f][0-9a-f]{2})|.)",
    re.IGNORECASE | re.DOTALL,
)


def _replace_lone(match: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if match["lone"] else match[0]
