"""The dashboard's start: `streamlit run app.py`.

Here is what must be settled before a page is drawn: the settings, the address to listen on and the
headers of every answer. The pages begin at pages/navigation.py.
"""

import gc
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import NoReturn

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import SettingsError, settings
from pages.server.agent_feed import AgentFeed
from pages.server.agent_routes import chat_routes
from pages.server.shutdown import on_shutdown

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Streamlit loads a component's script as a blob; Vega compiles its expressions.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""Nothing is loaded from, or sent to, any other server, whatever a visitor's text contains."""

NO_SIGN_IN = (
    "the dashboard has no sign-in yet, so it listens on this machine only. Start it with "
    "--server.address 127.0.0.1, and reach it from elsewhere through an SSH tunnel: "
    "ssh -L 8501:127.0.0.1:8501 HOST"
)

HEADERS = [
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]


class SecurityHeaders:
    """Adds HEADERS to every HTTP answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in HEADERS}
                theirs = [pair for pair in message["headers"] if pair[0].lower() not in ours]
                message = {**message, "headers": theirs + HEADERS}
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class LoopbackOnly:
    """Refuses whoever did not come through this machine's own address, however it was started."""

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


@asynccontextmanager
async def warm(_app: st.App) -> AsyncGenerator[None, None]:
    """Load what the first page needs, and keep it out of every later garbage collection."""
    import altair  # noqa: F401

    import core.frames  # noqa: F401

    gc.collect()
    gc.freeze()
    with on_shutdown(agent_feed.end):
        yield
    await agent_feed.stop()


def is_loopback(address: str | None) -> bool:
    """Whether only this machine can reach the address; None means every address."""
    if address == "localhost":
        return True
    try:
        return address is not None and ip_address(address).is_loopback
    except ValueError:
        return False


def _refuse(text: str) -> NoReturn:
    sys.stderr.write(text + "\n")
    sys.exit(1)


address = st.get_option("server.address")
if not is_loopback(address):
    _refuse(f"server.address is '{address or '0.0.0.0'}': {NO_SIGN_IN}")
try:
    settings()
except SettingsError as error:
    _refuse(str(error))

agent_feed = AgentFeed()
app = st.App(
    "pages/navigation.py",
    routes=chat_routes(agent_feed),
    middleware=[Middleware(SecurityHeaders), Middleware(LoopbackOnly)],
    lifespan=warm,
)
