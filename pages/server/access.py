"""What a route asks of whoever calls it. That they are signed in, and no other site's page, the gate has asked.

A guarded route also answers only what the dashboard's own pages send.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from core.accounts.identity import Identity, Role

COOKIE = "visitor-monitor-agent"
"""The cookie with the agent's key; the component sets it. A page's session reads it once, at its start."""

SIGNED_OUT = "You are signed out: reload the page to sign in."
MAY_NOT = "Your role may not do this. An admin can change it."

Endpoint = Callable[[Request], Awaitable[Response]]


def identity_of(request: HTTPConnection) -> Identity:
    """Who asks, as the gate has found. Raises LookupError where that is not known."""
    identity = known_identity(request)
    if identity is None:
        raise LookupError("Nobody is signed in here.")
    return identity


def known_identity(request: HTTPConnection) -> Identity | None:
    """Who asks; None for somebody who has not signed in, where that is open, or while it cannot be known."""
    return request.scope.get("state", {}).get("identity")


def guarded_get(endpoint: Endpoint, role: Role = Role.VIEWER) -> Endpoint:
    """The endpoint, open only to GET of those with the role."""

    async def guarded(request: Request) -> Response:
        if request.method != "GET":
            return refuse(405, "This address is only read.")
        return _refuse_role(request, role) or await endpoint(request)

    return guarded


def guarded_post(endpoint: Endpoint, role: Role = Role.VIEWER) -> Endpoint:
    """The endpoint, open only to JSON of those with the role: a form cannot send it."""

    async def guarded(request: Request) -> Response:
        return _refuse_role(request, role) or _refuse_form(request) or await endpoint(request)

    return guarded


def refuse(status: int, text: str, retry_after: int = 0) -> JSONResponse:
    """A response that says why the request is refused; after so many seconds it may not be."""
    retry = {"Retry-After": str(retry_after)} if retry_after else {}
    return JSONResponse({"error": text}, status, headers={"Cache-Control": "no-store", **retry})


def _refuse_role(request: Request, role: Role) -> Response | None:
    identity = known_identity(request)
    if identity is None:
        fault = request.scope.get("state", {}).get("fault")
        return refuse(503, fault, 5) if fault else refuse(401, SIGNED_OUT)
    return None if identity.may(role) else refuse(403, MAY_NOT)


def _refuse_form(request: Request) -> Response | None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return None if kind == "application/json" else refuse(415, "Send application/json.")
