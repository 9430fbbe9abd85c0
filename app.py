"""The dashboard's start: `streamlit run app.py`.

The settings and the address to listen on are checked before anything is served. The pages begin at
pages/navigation.py; the other routes are in pages/server/.
"""

import gc
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NoReturn

import streamlit as st
from starlette.middleware import Middleware

from core.settings import SettingsError, settings
from pages.server.access import NO_SIGN_IN, LoopbackOnly, is_loopback
from pages.server.agent_feed import AgentFeed
from pages.server.agent_routes import agent_routes
from pages.server.headers import SecurityHeaders
from pages.server.shutdown import on_shutdown


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
    routes=agent_routes(agent_feed),
    middleware=[Middleware(SecurityHeaders), Middleware(LoopbackOnly)],
    lifespan=warm,
)
