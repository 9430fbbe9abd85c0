"""Who may use the dashboard: only this machine. Only the dashboard's own pages may call the agents' routes.

For the routes a cookie alone proves little. To a browser, a page on another port of the same machine
is the same site, and a foreign name that resolves to this machine (DNS rebinding) is a host like any
other. So the host must be a known one, and the request's origin must be that host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

COOKIE = "visitor-monitor-agent"
"""The cookie with the agent's key; the component sets it. A page's session reads it once, at its start."""

NO_SIGN_IN = (
    "the dashboard has no sign-in yet, so it listens on this machine only. Start it with "
    "--server.address 127.0.0.1, and reach it from elsewhere through an SSH tunnel: "
    "ssh -L 8501:127.0.0.1:8501 HOST"
)

Endpoint = Callable[[Request], Awaitable[Response]]


class LoopbackOnly:
    """Refuses requests that did not come to a loopback address, however the dashboard was started."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = scope.get("server")
        if server is None or is_loopback(server[0]):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(NO_SIGN_IN, status_code=403)(scope, receive, send)


def is_loopback(address: str | None) -> bool:
    """Whether only this machine can reach the address; None means every address."""
    if address == "localhost":
        return True
    try:
        return address is not None and ip_address(address).is_loopback
    except ValueError:
        return False


def guarded_get(endpoint: Endpoint) -> Endpoint:
    """The endpoint, open only to requests of this dashboard's own pages."""

    async def guarded(request: Request) -> Response:
        if request.method != "GET":
            return refuse(405, "This address is only read.")
        return _refuse_stranger(request) or await endpoint(request)

    return guarded


def guarded_post(endpoint: Endpoint) -> Endpoint:
    """The endpoint, open only to JSON that this dashboard's own pages post: a form cannot send it."""

    async def guarded(request: Request) -> Response:
        return _refuse_stranger(request) or _refuse_form(request) or await endpoint(request)

    return guarded


def refuse(status: int, text: str, retry_after: int = 0) -> JSONResponse:
    """A response that says why the request is refused; after so many seconds it may not be."""
    retry = {"Retry-After": str(retry_after)} if retry_after else {}
    return JSONResponse({"error": text}, status, headers={"Cache-Control": "no-store", **retry})


def _refuse_stranger(request: Request) -> Response | None:
    host = request.headers.get("host", "")
    if not _is_own(host):
        return refuse(403, "This host is not one of the dashboard's: see server.allowedHosts.")
    origin = request.headers.get("origin")
    if origin is not None and not _is_same(origin, host):
        return refuse(403, "Only the dashboard's own pages may do this.")
    # Browsers send this header also where they send no Origin, as for a GET.
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return refuse(403, "Only the dashboard's own pages may do this.")
    return None


def _refuse_form(request: Request) -> Response | None:
    if "origin" not in request.headers:
        return refuse(403, "Only the dashboard's own pages may do this: there is no Origin.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return refuse(415, "Send application/json.")
    return None


def _is_own(host: str) -> bool:
    """Whether the host is allowed. Without a configured list these are this machine's own names."""
    if st.get_option("server.allowedHosts"):
        return is_host_allowed(host)
    try:
        return is_loopback(urlsplit(f"//{host}").hostname)
    except ValueError:
        return False


def _is_same(origin: str, host: str) -> bool:
    """Whether the origin is this host. The scheme is ignored: behind a TLS proxy it differs."""
    scheme, separator, name = origin.partition("://")
    return scheme in ("http", "https") and bool(separator) and name.lower() == host.lower()
