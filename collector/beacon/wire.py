"""The beacon as it travels: strict JSON in, a Beacon or a reason why not out (docs/beacon.md)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

MAX_BYTES = 16_384
MAX_EVENTS = 20
MAX_NUMBER = 2**31 - 1
"""The highest number of an event: what an integer column of Postgres holds."""

# \Z and not $, which a line feed at the end would pass.
SiteKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
VisitId = Annotated[str, Meta(pattern=r"^([a-z0-9]{16,40})?\Z")]
TabId = Annotated[str, Meta(pattern=r"^[a-z0-9]{4,16}\Z")]
Number = Annotated[int, Meta(ge=1, le=MAX_NUMBER)]
Seconds = int | float

_KINDS_WITH_PAGE = frozenset("vph")


class WireEvent(Struct, gc=False):
    """One event by the letters of the wire; what each means is told in docs/beacon.md."""

    e: str
    n: Number
    o: Seconds = 0
    a: Seconds | None = None
    u: str = ""
    q: str = ""
    d: str = ""
    r: str = ""
    c: str = ""
    m: str = ""
    g: str = ""
    j: str = ""
    x: str = ""
    xs: str = ""
    f: int = 0
    l: str = ""  # noqa: E741
    z: str = ""
    y: int = 0
    wd: int | None = 0
    s: str = ""
    i: dict[str, str] | None = None


class Beacon(Struct):
    """The envelope: site key, visit id (or empty), tab, visitor id (or empty) and the events."""

    v: Literal[1]
    k: SiteKey
    s: VisitId
    t: TabId
    b: Annotated[list[WireEvent], Meta(min_length=1, max_length=MAX_EVENTS)]
    w: VisitId = ""


class Malformed(Struct, frozen=True):
    """The body is no beacon; one line that says where."""

    message: str


def read_beacon(body: bytes) -> Beacon | Malformed:
    """The beacon. Nothing of a body with one wrong envelope field, number or type is kept.

    Half characters are no such fault: a lone surrogate or a stray byte is replaced by U+FFFD.
    """
    try:
        beacon = _decode(body)
    except (ValueError, RecursionError):
        try:
            beacon = _decode(mend(body))
        except (ValueError, RecursionError) as error:
            return Malformed(str(error).partition("\n")[0])
    for index, event in enumerate(beacon.b):
        if event.e in _KINDS_WITH_PAGE and not event.u.startswith("/"):
            return Malformed(f"Expected a path that begins with / - at `$.b[{index}].u`")
    return beacon


_decode = msgspec.json.Decoder(Beacon).decode


def mend(body: bytes) -> bytes:
    """The body with U+FFFD in place of each half character: stray bytes and lone surrogates."""
    text = body.decode("utf-8", "replace").encode()
    return _ESCAPE.sub(_mend_escape, text)


_ESCAPE = re.compile(
    rb"\\(?:u(?P<high>d[89ab][0-9a-f]{2})\\u(?P<low>d[c-f][0-9a-f]{2})"
    rb"|u(?P<lone>d[89a-f][0-9a-f]{2})|.)",
    re.IGNORECASE | re.DOTALL,
)


def _mend_escape(match: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if match["lone"] else match[0]
