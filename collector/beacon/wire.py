"""The beacon on the wire: strict JSON in, a Beacon or Malformed out (docs/beacon.md)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from collector.chat.offers import Offer
from collector.http.json_body import MAX_NUMBER, Malformed, SiteKey, VisitId, decode

MAX_EVENTS = 20
# \Z and not $, which a line feed at the end would pass.
TabId = Annotated[str, Meta(pattern=r"^[a-z0-9]{4,16}\Z")]
Number = Annotated[int, Meta(ge=1, le=MAX_NUMBER)]
Seconds = int | float

_KINDS_WITH_PAGE = frozenset("vph")


class WireEvent(Struct, gc=False):
    """One event, by the letters of the wire that docs/beacon.md explains.

    The cart (cv, cc) is what a page's own code says: of whatever type, it spoils no event.
    """

    e: str
    n: Number
    o: Seconds = 0
    a: Seconds | None = None
    p: Annotated[int, Meta(ge=0, le=MAX_NUMBER)] = 0
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
    cv: Raw = Raw()
    cc: Raw = Raw()


class Beacon(Struct):
    """The envelope: site key, visit id (or empty), tab, visitor id (or empty) and the events."""

    v: Literal[1]
    k: str
    s: str
    t: str
    b: Annotated[list[WireEvent], Meta(min_length=1, max_length=MAX_EVENTS)]
    w: str = ""


class _Names(Struct):
    """The names of an envelope as they have to be. msgspec looks at each by itself, which costs more than all the rest."""

    k: SiteKey
    s: VisitId
    t: TabId
    w: VisitId


_NAMES = re.compile(r"[A-Za-z0-9_-]{1,64} (?:[a-z0-9]{16,40})? [a-z0-9]{4,16} (?:[a-z0-9]{16,40})?")
"""The same in one look, with a space between two."""


def read_beacon(body: bytes) -> Beacon | Malformed:
    """The beacon. Nothing of a body with one wrong envelope field, number or type is kept.

    Half characters are no such fault: a lone surrogate or a stray byte is replaced by U+FFFD.
    """
    beacon = decode(_decode, body)
    if isinstance(beacon, Malformed):
        return beacon
    if not _NAMES.fullmatch(f"{beacon.k} {beacon.s} {beacon.t} {beacon.w}"):
        return _wrong_name(beacon)
    for index, event in enumerate(beacon.b):
        if event.e in _KINDS_WITH_PAGE and not event.u.startswith("/"):
            return Malformed(f"Expected a path that begins with / - at `$.b[{index}].u`")
    return beacon


_decode = msgspec.json.Decoder(Beacon).decode


def _wrong_name(beacon: Beacon) -> Malformed:
    names = {name: getattr(beacon, name) for name in _Names.__struct_fields__}
    try:
        msgspec.convert(names, _Names)
    except msgspec.ValidationError as error:
        return Malformed(str(error))
    raise AssertionError(f"_NAMES refuses what _Names takes: {names}")


class AcceptedBody(Struct, omit_defaults=True):
    """The body of a 200: visit id, seconds to the next presence, 1 when the zone is wanted, offer, 1 to listen."""

    s: str
    i: int
    z: int = 0
    c: Offer | None = None
    l: int = 0  # noqa: E741
