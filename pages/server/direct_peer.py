"""The peer of a request: who really holds the connection.

uvicorn believes X-Forwarded-For and X-Forwarded-Proto of everybody on this machine, and puts what they
say in the place of the peer. Whether a proxy is to be trusted is decided by its own address, so the
peer stays; only the scheme is taken over, and only from MONITOR_TRUSTED_PROXIES.
"""

from __future__ import annotations

import uvicorn.config
from starlette.types import ASGIApp, Receive, Scope, Send

from core.enrich.address import parse_address
from core.settings import settings

_SCHEMES = {
    "http": {b"http": "http", b"https": "https"},
    "websocket": {b"http": "ws", b"https": "wss", b"ws": "ws", b"wss": "wss"},
}


class DirectPeer:
    """Stands where uvicorn has its own middleware, of which `trusted_hosts` is the list."""

    def __init__(self, app: ASGIApp, trusted_hosts: object = ()) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        schemes = _SCHEMES.get(scope["type"], {})
        if schemes and has_trusted_peer(scope):
            said = header_values(scope, "x-forwarded-proto")
            if len(said) == 1 and said[0] in schemes:
                scope["scheme"] = schemes[said[0]]
        await self.app(scope, receive, send)


def keep_direct_peer() -> None:
    """Have uvicorn leave the peer alone. It loads the app before it takes the middleware."""
    setattr(uvicorn.config, "ProxyHeadersMiddleware", DirectPeer)  # noqa: B010


def has_trusted_peer(scope: Scope) -> bool:
    """Whether one of MONITOR_TRUSTED_PROXIES holds the connection."""
    peer = scope.get("client")
    address = parse_address(peer[0]) if peer else None
    return address is not None and any(address in each for each in settings().trusted_proxies)


def header_values(scope: Scope, name: str) -> list[bytes]:
    """Every value of the header, one for each line of it; `name` in small letters."""
    return [value.strip() for key, value in scope["headers"] if key.lower() == name.encode()]
