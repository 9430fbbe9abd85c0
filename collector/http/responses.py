"""Responses to websites, made once: any page may read each of them."""

from __future__ import annotations

from typing import Any, NamedTuple

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


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


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


class Response(NamedTuple):
    """The two ASGI messages of a response."""

    start: dict[str, Any]
    body: dict[str, Any]


_encode = msgspec.json.Encoder().encode


def ok(body: Struct) -> Response:
    """200 with this body."""
    return _response(200, _encode(body), _JSON)


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
    length = [(b"content-length", b"%d" % len(body))] if status != 204 else []
    return Response(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*_CORS, *headers, *length],
        },
        {"type": "http.response.body", "body": body},
    )


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
STREAM_START: dict[str, Any] = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        *_CORS,
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ],
}
"""The head of a stream. Its last field tells nginx and its like not to buffer it."""

PREFLIGHT = _response(
    204,
    b"",
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    *_encoded(PREFLIGHT_CORS),
)
NOT_ALLOWED = _response(405, _encode({"error": "send it by POST"}), _JSON, _ALLOW)
NO_ACTION = _response(404, _encode({"error": "there is no such action"}), _JSON)
GONE = Response({}, {})
"""Nothing is sent: the client has left, or has been answered."""
