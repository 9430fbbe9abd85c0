"""The session that a request's cookies name, when they name several.

A browser sends every cookie of the name: also one that a page on another port, or another dashboard on
the same host, has set for a path. Whoever comes later would each take another one of them.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Scope

from pages.server.session_book import SESSION_COOKIE, unsigned


def with_one_session(scope: Scope, secret: str) -> Scope:
    """The request with one session at most: that which this secret has signed; of two such, neither."""
    lines = Headers(scope=scope).getlist("cookie")
    cookies = [part.strip() for line in lines for part in line.split(";")]
    named = [cookie for cookie in cookies if _name(cookie) == SESSION_COOKIE]
    if len(named) < 2:
        return scope
    ours = {cookie for cookie in named if unsigned(cookie.partition("=")[2].strip(), secret)}
    kept = [cookie for cookie in cookies if _name(cookie) != SESSION_COOKIE]
    if len(ours) == 1:
        kept += ours
    headers = [pair for pair in scope["headers"] if pair[0].lower() != b"cookie"]
    return {**scope, "headers": [*headers, (b"cookie", "; ".join(kept).encode("latin-1"))]}


def _name(cookie: str) -> str:
    return cookie.partition("=")[0].strip()
