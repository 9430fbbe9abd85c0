"""The dashboard's application, which Streamlit runs: `python -m pages`.

The settings are checked before anything is served. The pages begin at pages/navigation.py; the other
routes are in pages/server/, and before all of them is the gate.
"""

import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware

from core.command_error import exit_in_one_line
from core.settings import SettingsError, settings, warn_of_unknown_settings
from pages.server.agent_feed import AgentFeed
from pages.server.agent_routes import agent_routes
from pages.server.app_files import app_routes
from pages.server.closed_pages import freed_pages, keep_little
from pages.server.dashboard_log import start_dashboard_log
from pages.server.direct_peer import keep_direct_peer
from pages.server.finished_runs import keep_finished_runs
from pages.server.gate import Gate
from pages.server.headers import SecurityHeaders
from pages.server.request_body import BoundedBodies, end_bodies
from pages.server.script_files import script_routes
from pages.server.shutdown import on_shutdown
from pages.server.site_feed import SiteFeed
from pages.server.site_routes import site_routes
from pages.server.streamlit_config import keep_config
from pages.sign_in.oidc import oidc_routes
from pages.sign_in.routes import sign_in_routes


@asynccontextmanager
async def warm(_app: st.App) -> AsyncGenerator[None, None]:
    """Load what the first page needs, and keep it out of every later garbage collection."""
    import altair  # noqa: F401

    import core.frames  # noqa: F401

    gc.collect()
    gc.freeze()
    async with freed_pages():
        with on_shutdown(_end_waits):
            yield
    for feed in feeds:
        await feed.stop()


def _end_waits() -> None:
    """End what the web server would wait for: open streams, and bodies of which the rest does not come."""
    for feed in feeds:
        feed.end()
    end_bodies()


with exit_in_one_line(SettingsError):
    start_dashboard_log(settings().log_format)
    warn_of_unknown_settings()

keep_config()
keep_little()
keep_direct_peer()
keep_finished_runs()
agent_feed, site_feed = AgentFeed(), SiteFeed()
feeds = (agent_feed, site_feed)
app = st.App(
    "pages/navigation.py",
    routes=[
        *sign_in_routes(),
        *oidc_routes(),
        *agent_routes(agent_feed),
        *site_routes(site_feed),
        *script_routes(),
        *app_routes(),
    ],
    middleware=[Middleware(SecurityHeaders), Middleware(BoundedBodies), Middleware(Gate)],
    lifespan=warm,
)
