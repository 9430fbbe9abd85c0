"""The gate before everything that the dashboard serves: its pages, their websocket, files and routes.

It decides who gets in, once for each request, on the path as the routes see it; what nobody thought of
is closed. Behind it nothing is left to ask: it takes the Origin away, since Streamlit asks a host
outside for its own address when it meets one that it does not know.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core.accounts.identity import Identity, Role
from core.accounts.provisioning import Denial
from core.deadline import DatabaseUnavailable
from core.enrich.this_machine import is_direct, is_loopback, names_this_machine
from pages.server.access import MAY_NOT, SIGNED_OUT, refuse
from pages.server.app_files import APP_FILES
from pages.server.base_path import below_base
from pages.server.one_session import with_one_session
from pages.server.open_connections import OpenConnections
from pages.server.open_reply import OpenReply
from pages.server.own_host import is_own_host, is_own_origin
from pages.server.proxy_sign_in import (
    NOBODY,
    ProxySignIn,
    borne_out,
    named_by_proxy,
    proxied_identity,
    without_sign_in_header,
)
from pages.server.session_book import SESSION_COOKIE, Guests, SessionBook
from pages.server.unavailable import RETRY_AFTER

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
OPEN = (
    SIGN_IN,
    f"{SIGN_IN}/link",
    f"{SIGN_IN}/oidc",
    f"{SIGN_IN}/oidc/callback",
    *APP_FILES,
)
HEALTH, METRICS = "/_stcore/health", "/_stcore/metrics"

NO_ACCOUNT = """\
Nobody has an account here yet, so the dashboard answers only on the machine on which it runs, and not \
through a proxy. To open it to your team, make the first account there:
  python -m core agent add NAME --email ADDRESS --role admin
Until then, reach it through an SSH tunnel:
  ssh -L 8501:127.0.0.1:8501 HOST"""
"""A line that is indented is a command."""

STRANGE_HOST = (
    "The dashboard is not known by this name. If it is to be, set MONITOR_DASHBOARD_URL to the address "
    "at which people reach it, and start it again."
)
STRANGER = "Only the dashboard's own pages may do this."
STRANGE_PATH = "There is no such address."
AWAY = "It is not known who you are while the database does not answer: try again in a moment."

_READS = ("GET", "HEAD")


@dataclass(frozen=True)
class Passed:
    """What may go on. identity: None for an open path, or while the database has never been read."""

    identity: Identity | None


class ByProxy:
    """A page that a trusted proxy asks for, without a session: the proxy says for whom."""


class Gate:
    """ASGI middleware; docs/architecture.md has what it asks, in its order."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._book = SessionBook()
        self._connections = OpenConnections(self._book)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope = without_sign_in_header(scope)
        guests = await self._book.latest(HTTPConnection(scope).cookies)
        scope = with_one_session(scope, guests.access.secret if guests.access else "")
        request = HTTPConnection(scope)
        cookies = request.cookies
        answer = _decide(request, guests, cookies)
        if isinstance(answer, ByProxy):
            by_proxy = await _ask_proxy(request)
            if isinstance(by_proxy, ProxySignIn):
                cookies = {**cookies, SESSION_COOKIE: by_proxy.cookie}
                send = by_proxy.giving_cookie(send)
                answer = _passed(request, by_proxy.identity)
            else:
                answer = by_proxy
        if isinstance(answer, Response):
            await _send_refusal(answer, scope, receive, send)
            return
        scope = _without_origin(scope)
        scope["state"] = {**scope.get("state", {}), "identity": answer.identity}
        scope["state"]["fault"] = guests.fault
        if answer.identity is None and guests.must_sign_in:
            await self._app(scope, receive, send)
            return
        await self._serve_while_allowed(scope, receive, send, cookies, answer.identity)

    async def _serve_while_allowed(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        cookies: Mapping[str, str],
        identity: Identity | None,
    ) -> None:
        reply = OpenReply(scope, receive, send)
        until_ended = asyncio.timeout(None)
        try:
            async with until_ended:
                with self._connections.opened(cookies, identity, until_ended):
                    await self._app(scope, receive, reply.send)
        except TimeoutError:
            if not until_ended.expired():
                raise
        if until_ended.expired():
            await reply.end()


def _decide(
    request: HTTPConnection, guests: Guests, cookies: Mapping[str, str]
) -> Passed | ByProxy | Response:
    """Who gets in, or what everybody else is answered."""
    path, method = request.scope["path"], request.scope.get("method", "GET")
    if path == below_base(HEALTH) and method in _READS:
        return Passed(None)
    if not _is_plain(path):
        return refuse(404, STRANGE_PATH)
    refusal = _refuse_place(request, guests) or _refuse_stranger(request, method)
    if refusal is not None:
        return refusal
    identity = borne_out(guests, request.scope, guests.identity_of(cookies))
    if identity is None:
        return _answer_unknown(request, path, method, guests)
    return _passed(request, identity)


def _passed(request: HTTPConnection, identity: Identity) -> Passed | Response:
    """What somebody gets who is signed in; what they may not do behind the gate is refused there."""
    if request.scope["path"] == below_base(METRICS) and not identity.may(Role.ADMIN):
        return refuse(403, MAY_NOT)
    return Passed(identity)


def _answer_unknown(
    request: HTTPConnection, path: str, method: str, guests: Guests
) -> Passed | ByProxy | Response:
    """What somebody gets who is not signed in, or of whom nothing is known while the database is away."""
    is_http = request.scope["type"] == "http"
    if not guests.must_sign_in or (is_http and _is_open(path, method)):
        return Passed(None)
    if is_http and method in _READS and _wants_page(request.headers):
        is_proxied = named_by_proxy(request.scope) is not None
        return ByProxy() if is_proxied else _to_sign_in(request, path)
    return refuse(401, SIGNED_OUT) if guests.access else refuse(503, AWAY, RETRY_AFTER)


async def _ask_proxy(request: HTTPConnection) -> ProxySignIn | Response:
    """The session of whom the proxy names, or why they get none."""
    try:
        answer = await proxied_identity(request.scope)
    except DatabaseUnavailable:
        return _explained(request, AWAY, "Not at this moment", 503)
    if isinstance(answer, Denial):
        return _explained(request, answer.text, "No account for you")
    return answer or _explained(request, NOBODY, "Not signed in", 401)


def _is_plain(path: str) -> bool:
    """Whether the path has one meaning only; it is decoded once, as for the routes."""
    parts = path.split("/")
    is_whole = parts[0] == "" and "" not in parts[1:-1] and not {".", ".."} & set(parts)
    return is_whole and path.isprintable() and not any(sign in path for sign in "\\%")


def _is_open(path: str, method: str) -> bool:
    """Whether nobody has to be signed in for it."""
    if path == below_base(SIGN_OUT):
        return method == "POST"
    return path in map(below_base, OPEN)


def _refuse_place(request: HTTPConnection, guests: Guests) -> Response | None:
    """Whether the dashboard may be reached in this way."""
    hosts = request.headers.getlist("host")
    host = hosts[0] if len(hosts) == 1 else ""
    if not guests.must_sign_in:
        server = (request.scope.get("server") or ("",))[0]
        is_here = is_loopback(server) and is_direct(request.headers) and names_this_machine(host)
        return None if is_here else _refuse_elsewhere(request, guests)
    return None if is_own_host(host) else _explained(request, STRANGE_HOST)


def _refuse_elsewhere(request: HTTPConnection, guests: Guests) -> Response:
    """Why only this machine is served: there is no account, or nobody can say whether there is one."""
    if guests.access is None:
        return _explained(request, AWAY, "Not at this moment", 503)
    return _explained(request, NO_ACCOUNT)


def _refuse_stranger(request: HTTPConnection, method: str) -> Response | None:
    """Other sites' pages get nothing. A browser tells in its own words which page asks.

    Every browser sends an Origin with a websocket and with whatever could change anything, so that must
    be there. Sec-Fetch-Site says it of reads too, but not every browser sends it, and not to every address.
    """
    headers, scope = request.headers, request.scope
    origins = headers.getlist("origin")
    must_say = scope["type"] == "websocket" or method not in _READS
    if len(origins) > 1 or (must_say and not origins):
        return refuse(403, STRANGER)
    if origins and not is_own_origin(origins[0], headers["host"]):
        return refuse(403, STRANGER)
    if headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        return None
    is_link = (
        method in _READS
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )
    return None if is_link and scope["type"] == "http" else refuse(403, STRANGER)


def _wants_page(headers: Headers) -> bool:
    kind = headers.get("sec-fetch-dest")
    return kind == "document" if kind else "text/html" in headers.get("accept", "")


def _to_sign_in(request: HTTPConnection, path: str) -> Response:
    query = request.scope["query_string"].decode("latin-1")
    asked = f"{quote(path)}?{query}" if query else quote(path)
    then = "" if asked == below_base("/") else f"?{urlencode({'next': asked})}"
    return RedirectResponse(
        f"{below_base(SIGN_IN)}{then}", 303, headers={"Cache-Control": "no-store"}
    )


def _explained(
    request: HTTPConnection, text: str, title: str = "Not served here", status: int = 403
) -> Response:
    """Why nothing is served here, as a page to whoever asks for one."""
    if request.scope["type"] == "websocket" or not _wants_page(request.headers):
        return refuse(status, text)
    again = f'<meta http-equiv="refresh" content="{RETRY_AFTER}">' if status == 503 else ""
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Visitor Monitor</title>'
        "<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;"
        "max-width:40rem;margin:15vh auto;padding:0 1rem}"
        "pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:.75rem;border:1px solid GrayText;"
        "border-radius:8px}</style>"
        f"{again}<main><h1>{title}</h1>{''.join(map(_line, text.splitlines()))}</main></html>"
    )
    return HTMLResponse(page, status, headers={"Cache-Control": "no-store"})


def _line(line: str) -> str:
    is_command = line.startswith("  ")
    written = html.escape(line.strip())
    return f"<pre><code>{written}</code></pre>" if is_command else f"<p>{written}</p>"


async def _send_refusal(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await answer(scope, receive, send)


def _without_origin(scope: Scope) -> Scope:
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() != b"origin"]}
