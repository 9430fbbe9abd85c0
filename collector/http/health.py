"""/healthz, /readyz and /metrics: for the owner's own watch, not for visitors."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from collector.health_metrics import HealthMetrics
from collector.http.readiness import Readiness
from collector.metrics import Metrics
from core.enrich.this_machine import is_direct, is_loopback, names_this_machine

Handler = Callable[[Request], Awaitable[Response]]


def health_routes(
    readiness: Readiness, metrics: Metrics, health: HealthMetrics, token: str
) -> list[Route]:
    """The three routes."""
    return [
        Route("/healthz", send_health),
        Route("/readyz", _readiness_sender(readiness, health, token)),
        Route("/metrics", metrics_sender(metrics, token)),
    ]


async def send_health(_request: Request) -> Response:
    """200 while the process answers at all."""
    return PlainTextResponse("ok\n")


def _readiness_sender(readiness: Readiness, health: HealthMetrics, token: str) -> Handler:
    """200 with the database's name and version while the collector is ready, else 503 with what is wrong.

    Who may see the metrics is also told the cure, and the warnings. They do not make it 503.
    """

    async def send_readiness(request: Request) -> Response:
        found = await readiness.look()
        told: dict[str, object] = {
            "status": "ready" if found.is_ready else "not ready",
            "database": found.database,
        }
        if may_see(request, token):
            told["warnings"] = health.codes
            if not found.is_ready:
                told["reason"] = found.reason
        return JSONResponse(told, 200 if found.is_ready else 503)

    return send_readiness


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
