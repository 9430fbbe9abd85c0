"""/healthz, /readyz and /metrics: for the owner's own watch, not for visitors."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic

from sqlalchemy import Engine, text
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from collector.metrics import Metrics
from core.database import writing
from core.database_threads import DatabaseThreads
from core.enrich.address import parse_address

READY_WITHIN = 5.0
"""Seconds in which the database must have taken a write."""

READY_FOR = 1.0
"""Seconds for which a response is given again: the route is public, and each one costs a write."""

_FORWARDED = re.compile(r"x-forwarded-.*|forwarded|x-real-ip|cf-connecting-ip|via")
_log = logging.getLogger("collector.health")

Handler = Callable[[Request], Awaitable[Response]]


def health_routes(engine: Engine, metrics: Metrics, token: str) -> list[Route]:
    """The three routes."""
    return [
        Route("/healthz", send_health),
        Route("/readyz", _readiness(engine)),
        Route("/metrics", _metrics_sender(metrics, token)),
    ]


async def send_health(_request: Request) -> Response:
    """200 while the process answers at all."""
    return PlainTextResponse("ok\n")


def _readiness(engine: Engine) -> Handler:
    """200 and the database's name and version once it has taken a write, else 503."""
    threads = DatabaseThreads()  # its own: a database that takes no write may yet be read
    lock = asyncio.Lock()
    known: tuple[float, bool, str] = (-READY_FOR, False, "")

    async def send_readiness(_request: Request) -> Response:
        nonlocal known
        async with lock:
            if monotonic() - known[0] >= READY_FOR:
                known = (monotonic(), *await _try_write(engine, threads))
        _, is_ready, database = known
        status = "ready" if is_ready else "not ready"
        return JSONResponse({"status": status, "database": database}, 200 if is_ready else 503)

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
        if connection.dialect.name == "sqlite":
            return f"SQLite {connection.execute(text('SELECT sqlite_version()')).scalar_one()}"
        version = connection.execute(text("SHOW server_version")).scalar_one()
        return f"Postgres {version}"


def _metrics_sender(metrics: Metrics, token: str) -> Handler:
    async def send_metrics(request: Request) -> Response:
        if not _may_see(request, token):
            return PlainTextResponse("Forbidden\n", 403)
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return send_metrics


def _may_see(request: Request, token: str) -> bool:
    """Who knows the token; without one, a peer on this machine that calls it by its own name.

    A proxy on this machine is such a peer too: it is known by what it adds, or by the Host.
    """
    if token:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    peer = parse_address(request.client.host) if request.client else None
    is_direct = not any(_FORWARDED.fullmatch(name) for name in request.headers)
    is_here = peer is not None and peer.is_loopback
    return is_here and is_direct and _is_loopback(request.headers.get("host", ""))


def _is_loopback(host: str) -> bool:
    address = parse_address(host)
    if address is not None:
        return address.is_loopback
    return host.partition(":")[0].lower() == "localhost"
