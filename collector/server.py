"""How uvicorn serves an application of the collector."""

from __future__ import annotations

from typing import Any

import uvicorn

from collector.http.connections import KEEP_ALIVE
from collector.http.protocol import Protocol

DRAIN_WITHIN = 2
"""Seconds in which requests that have arrived are answered after SIGTERM; a commit takes milliseconds. The
process then ends within a second, whatever its peers do."""

BACKLOG = 2_048
"""Connections that may wait until they are accepted."""


def server_config(app: Any) -> uvicorn.Config:
    """Its options."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=DRAIN_WITHIN,
        timeout_keep_alive=KEEP_ALIVE,
    )
