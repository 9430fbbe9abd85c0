"""Responses to websites, made once: any page may read each of them."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

from core.reasons import Reason

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, X-Drop-Reason",
}
"""Any page may read every response below /v1/."""

PREFLIGHT_CORS = {
    "Access-Control-Allow-Headers": "*, Authorization",
    "Access-Control-Max-Age": "86400",
}
"""Pages add headers to every request. By the standard the star does not stand for Authorization.
The same whatever is asked, so that a browser need not ask again for another header."""


HeaderLines = tuple[tuple[bytes, bytes], ...]


def _encoded(headers: dict[str, str]) -> HeaderLines:
    return tuple([(name.lower().encode(), value.encode()) for name, value in headers.items()])


_CORS = _encoded(CORS)
_JSON = (b"content-type", b"application/json")
_CLOSE = (b"connection", b"close")
_ALLOW = (b"allow", b"POST, OPTIONS")

REFUSED_FOR_GOOD = "4(?!00|08|09|13|25|29)..|501"
"""A regular expression of the statuses after which a script sends nothing more from its page: our own
403 and 415, and what only others answer (404, 405, 501), such as the website's own host where the
script was copied to. Not those that are about one request (400, 409, 413), nor those of a busy moment."""

BUSY_RETRY = 5
"""Seconds: the queue is empty again by then, or the database has answered."""


class Head(Struct, frozen=True):
    """The status and the headers that responses of a kind have in common.

    lines: the same as they travel, up to the length of the body, where one follows (has_length). ends: they say
    that the connection ends with it.
    """

    status: int
    headers: HeaderLines
    lines: bytes
    has_length: bool
    ends: bool


class Response(Struct, frozen=True, gc=False):
    """A whole response. It is sent as bytes, or as the messages of ASGI."""

    head: Head
    body: bytes = b""

    def as_sent(self, more: bytes, *, is_last: bool, has_body: bool = True) -> bytes:
        """As it travels. more: further lines of the head. is_last: the connection ends with it."""
        head, body = self.head, self.body
        if is_last and not head.ends:
            more += b"connection: close\r\n"
        if not head.has_length:
            return b"%b%b\r\n" % (head.lines, more)
        return b"%b%d\r\n%b\r\n%b" % (head.lines, len(body), more, body if has_body else b"")

    @property
    def messages(self) -> Sequence[dict[str, Any]]:
        """The two messages of ASGI."""
        head = self.head
        length = ((b"content-length", b"%d" % len(self.body)),) if head.has_length else ()
        headers = [*head.headers, *length]
        return (
            {"type": "http.response.start", "status": head.status, "headers": headers},
            {"type": "http.response.body", "body": self.body},
        )


_encode = msgspec.json.Encoder().encode


def ok(body: Struct) -> Response:
    """200 with this body."""
    return Response(_OK, _encode(body))


def nothing_new() -> Response:
    """204 without a reason: nothing has happened yet."""
    return _NOTHING_NEW


def no_visit() -> Response:
    """409: only a page view opens a visit, and a chat needs one that goes on."""
    return _NO_VISIT


def refused(reason: Reason) -> Response:
    """The status of the reason, with its public text."""
    return _REFUSED[reason]


def malformed(message: str) -> Response:
    """400, with one line that says where the body is wrong."""
    return _refuse(Reason.MALFORMED, message)


def too_many(reason: Reason, seconds: int) -> Response:
    """429: come back after so many seconds."""
    return _refuse(reason, reason.public_text, retry_after=seconds)


def _refuse(reason: Reason, message: str = "", retry_after: int = 0) -> Response:
    headers = [(b"x-drop-reason", reason.encode())]
    if retry_after:
        headers.append((b"retry-after", str(retry_after).encode()))
    if reason is Reason.TOO_LARGE:
        headers.append(_CLOSE)  # the rest of the body is never read
    if reason.status == 204:
        return _response(204, b"", *headers)
    return _response(reason.status, _encode({"error": message}), _JSON, *headers)


def _response(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> Response:
    return Response(_head(status, *headers), body)


def _head(status: int, *headers: tuple[bytes, bytes]) -> Head:
    every = (*_CORS, *headers)
    lines = [b"HTTP/1.1 %d %b\r\n" % (status, HTTPStatus(status).phrase.encode())]
    lines += [b"%b: %b\r\n" % pair for pair in every]
    has_length = status != HTTPStatus.NO_CONTENT
    if has_length:
        lines.append(b"content-length: ")
    return Head(status, every, b"".join(lines), has_length, ends=_CLOSE in headers)


_OK = _head(200, _JSON)
_REFUSED = {
    reason: _refuse(reason, reason.public_text, BUSY_RETRY if reason.status in (429, 503) else 0)
    for reason in Reason
}
_NOTHING_NEW = _response(204, b"")
_NO_VISIT = _response(
    409,
    _encode({"error": "the visit is over, or there is none"}),
    _JSON,
    (b"x-drop-reason", Reason.NO_VISIT.encode()),
)


def _start(content_type: bytes) -> dict[str, Any]:
    """The head of a response that stays open. Its last field tells nginx and its like not to buffer it."""
    headers = [
        (b"content-type", content_type),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]
    return {"type": "http.response.start", "status": 200, "headers": [*_CORS, *headers]}


STREAM_START = _start(b"text/event-stream")
LISTEN_START = _start(b"application/json")

PREFLIGHT = _response(
    204,
    b"",
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    *_encoded(PREFLIGHT_CORS),
)
NOT_ALLOWED = _response(405, _encode({"error": "send it by POST"}), _JSON, _ALLOW)
NO_ACTION = _response(404, _encode({"error": "there is no such action"}), _JSON)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
GONE = Response(Head(0, (), b"", has_length=False, ends=False))
"""Nothing is sent: the client has left, or has been answered."""
