"""/healthz, /readyz and /metrics: for the owner's own watch, not for visitors."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic

from sqlalchemy import Engine, text
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from collector.health_metrics import HealthMetrics
from collector.metrics import Metrics
from core.database import database_version, writing
from core.database_threads import DatabaseThreads
from core.enrich.this_machine import is_direct, is_loopback, names_this_machine

READY_WITHIN = 5.0
"""Seconds in which the database must have taken a write."""

READY_FOR = 1.0
"""Seconds for which a response is given again: the route is public, and each one costs a write."""

_log = logging.getLogger("collector.health")

Handler = Callable[[Request], Awaitable[Response]]


def health_routes(
    engine: Engine, metrics: Metrics, health: HealthMetrics, token: str
) -> list[Route]:
    """The three routes."""
    return [
        Route("/healthz", send_health),
        Route("/readyz", _readiness(engine, health, token)),
        Route("/metrics", metrics_sender(metrics, token)),
    ]


async def send_health(_request: Request) -> Response:
    """200 while the process answers at all."""
    return PlainTextResponse("ok\n")


def _readiness(engine: Engine, health: HealthMetrics, token: str) -> Handler:
    """200 and the database's name and version once it has taken a write, else 503.

    Who may see the metrics is also told the warnings. They do not make it 503.
    """
    threads = DatabaseThreads()  # its own: a database that takes no write may yet be read
    lock = asyncio.Lock()
    known: tuple[float, bool, str] = (-READY_FOR, False, "")

    async def send_readiness(request: Request) -> Response:
        nonlocal known
        async with lock:
            if monotonic() - known[0] >= READY_FOR:
                known = (monotonic(), *await _try_write(engine, threads))
        _, is_ready, database = known
        told: dict[str, object] = {
            "status": "ready" if is_ready else "not ready",
            "database": database,
        }
        if may_see(request, token):
            told["warnings"] = health.codes
        return JSONResponse(told, 200 if is_ready else 503)

    return send_readiness


async def _try_write(engine: Engine, threads: DatabaseThreads) -> tuple[bool, str]:
    """Whether the database takes a write, and its name and version or what is wrong."""
    try:
        async with asyncio.timeout(READY_WITHIN):
            return True, await threads.run(partial(_write, engine))
    except TimeoutError:
        return False, f"did not take a write within {READY_WITHIN:.0f} seconds"
    except Exception as fault:
        _log.warning("not_ready fault=%s", type(fault).__name__)
        return False, "does not take a write"


def _write(engine: Engine) -> str:
    """A row becomes what it is: a write as good as any, and nobody sees it."""
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        return database_version(connection)


def metrics_sender(metrics: Metrics, token: str) -> Handler:
    """What sends the metrics to whoever may see them."""

    async def send_metrics(request: Request) -> Response:
        if not may_see(request, token):
            return PlainTextResponse("Forbidden\n", 403)
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return send_metrics


def may_see(request: Request, token: str) -> bool:
    """Who knows the token; without one, a peer on this machine that calls it by its own name."""
    if token:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    is_here = request.client is not None and is_loopback(request.client.host)
    names = names_this_machine(request.headers.get("host", ""))
    return is_here and names and is_direct(request.headers)
