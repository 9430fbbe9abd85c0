"""What the head of a visitor's request says: the same for the same head, so that it is read once for many requests."""

from __future__ import annotations

from msgspec import Struct

from collector.http.body import MAX_BYTES
from collector.http.request_head import Headers
from collector.origin import NO_ORIGIN, Origin, read_origin
from core.enrich.user_agent import LONGEST_USER_AGENT
from core.reasons import Reason

_LONGEST_HINT = 256
_PURPOSES = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")


class VisitorHead(Struct, frozen=True, gc=False):
    """The words of the browser are cut, and "" where it sends none.

    refusal: why the body is never read. forwarded: X-Forwarded-For, where there is one. is_ahead_of_time: the browser
    loads a page that nobody has seen yet. brands, platform, mobile: the client hints. country_hint: the header that names
    the country, which only a trusted proxy may send. is_private: the browser sends Sec-GPC: 1.
    """

    method: str
    refusal: Reason | None
    forwarded: bytes | None
    origin: Origin
    is_ahead_of_time: bool
    user_agent: str
    brands: str
    platform: str
    mobile: str
    country_hint: str
    is_private: bool


def read_visitor_head(method: str, headers: Headers, country_header: bytes) -> VisitorHead:
    """The head. country_header: the name of the one that names the country, or empty."""
    return VisitorHead(
        method,
        _refusal(headers),
        headers.get(b"x-forwarded-for"),
        read_origin(headers[b"origin"]) if b"origin" in headers else NO_ORIGIN,
        any(_is_ahead_of_time(headers[name]) for name in _PURPOSES if name in headers),
        _text(headers, b"user-agent", LONGEST_USER_AGENT),
        _text(headers, b"sec-ch-ua", _LONGEST_HINT),
        _text(headers, b"sec-ch-ua-platform", _LONGEST_HINT),
        _text(headers, b"sec-ch-ua-mobile", _LONGEST_HINT),
        _text(headers, country_header, _LONGEST_HINT) if country_header else "",
        headers.get(b"sec-gpc") == b"1",
    )


def _refusal(headers: Headers) -> Reason | None:
    """A body that is encoded, or said to be too large, is never read."""
    if b"content-encoding" in headers:
        return Reason.ENCODED
    length = headers.get(b"content-length")
    if length is not None and length.isdigit() and int(length[:20]) > MAX_BYTES:
        return Reason.TOO_LARGE
    return None


def _is_ahead_of_time(purpose: bytes) -> bool:
    purpose = purpose.lower()
    return b"prefetch" in purpose or b"prerender" in purpose


def _text(headers: Headers, name: bytes, limit: int) -> str:
    value = headers.get(name)
    return value[:limit].decode("latin-1") if value is not None else ""
