"""Who may use the chat's routes: a page of this very dashboard, in an agent's own browser.

The cookie alone proves little: a page on another port of the same machine is the same site to a
browser, and a name of a stranger's that resolves to this machine (DNS rebinding) is a host like any
other. So the host must be a known one, and what is sent must come from the host it is sent to.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

COOKIE = "visitor-monitor-agent"
"""Holds the agent's key; the component sets it. A page's session reads it once, when it begins."""

LONGEST_BODY = 16_384

Endpoint = Callable[[Request], Awaitable[Response]]


def reading(endpoint: Endpoint) -> Endpoint:
    """The endpoint, for requests of this dashboard's own pages only."""

    async def gated(request: Request) -> Response:
        if request.method != "GET":
            return refuse(405, "This address is only read.")
        return _stranger(request) or await endpoint(request)

    return gated


def acting(endpoint: Endpoint) -> Endpoint:
    """The endpoint, for JSON that this dashboard's own pages post: no other site's form can."""

    async def gated(request: Request) -> Response:
        return _stranger(request) or _no_json(request) or await endpoint(request)

    return gated


def refuse(status: int, words: str) -> JSONResponse:
    """An answer that says why not."""
    return JSONResponse({"error": words}, status, headers={"Cache-Control": "no-store"})


async def body_of(request: Request) -> bytes | None:
    """What was sent; None when it is longer than LONGEST_BODY."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            return None
    return body


def _stranger(request: Request) -> Response | None:
    host = request.headers.get("host", "")
    if not _is_own(host):
        return refuse(403, "This host is not one of the dashboard's: see server.allowedHosts.")
    origin = request.headers.get("origin")
    if origin is not None and not _is_same(origin, host):
        return refuse(403, "Only the dashboard's own pages may do this.")
    # Browsers say so also where they send no Origin, as for a GET.
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return refuse(403, "Only the dashboard's own pages may do this.")
    return None


def _no_json(request: Request) -> Response | None:
    if "origin" not in request.headers:
        return refuse(403, "Only the dashboard's own pages may do this: there is no Origin.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return refuse(415, "Send application/json.")
    return None


def _is_own(host: str) -> bool:
    """Without a list every host would be allowed: then it is this machine's own names."""
    if st.get_option("server.allowedHosts"):
        return is_host_allowed(host)
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _is_same(origin: str, host: str) -> bool:
    """The scheme says nothing: behind a proxy that ends TLS it is another one here."""
    scheme, separator, name = origin.partition("://")
    return scheme in ("http", "https") and bool(separator) and name.lower() == host.lower()
