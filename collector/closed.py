"""What answers while the database cannot be used: scripts come again with what they have, and lose nothing."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from threading import Event, Thread
from urllib.parse import unquote

from msgspec import Struct, field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from collector.beacon.route import PATH
from collector.chat.route import PREFIX
from collector.health_metrics import StorageMetrics
from collector.http import assets, responses
from collector.http.admission import send_response
from collector.http.connections import Connections, open_connections
from collector.http.errors import send_refusal
from collector.http.health import may_see, metrics_sender, send_health
from collector.http.known_heads import KnownHeads
from collector.http.public_path import at_root
from collector.http.refusal import Refusal
from collector.metrics import Metrics, process_numbers
from core.client import Clients
from core.reasons import Reason
from core.settings import Settings

LOOK_EVERY = 2.0
"""Seconds between two looks whether the database can be used."""

_log = logging.getLogger("collector")


class ClosedApp(Struct):
    """The ASGI application. It answers at the root, and below the path of its public address; no route is direct."""

    public_path: str
    others: ASGIApp
    metrics: Metrics
    connections: Connections
    direct: None = None
    known_heads: KnownHeads = field(default_factory=KnownHeads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; none is read."""
        scope = at_root(scope, self.public_path)
        if scope["type"] != "http":
            await self.others(scope, receive, send)
        elif scope["path"] == PATH:
            await send_response(_refuse(scope["method"], self.metrics.beacon), send)
        elif scope["path"].startswith(PREFIX):
            await send_response(_refuse(scope["method"], self.metrics.call), send)
        else:
            await self.others(scope, receive, send)


class Looks:
    """Calls `look` every LOOK_EVERY seconds on a thread of its own, until it finds no fault any more.

    fault: what it has found last, with the cure. raised: what ended it otherwise. is_told: `look` logs by itself.
    """

    def __init__(self, fault: str, look: Callable[[], str], *, is_told: bool) -> None:
        self.fault = fault
        self._is_told = is_told
        self.raised: BaseException | None = None
        self.on_end: Callable[[], None] = lambda: None
        self._look = look
        self._stop = Event()
        self._thread = Thread(target=self._run, name="database look", daemon=True)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """A look that takes long is not waited for when the process ends."""
        self._tell()
        self._thread.start()
        yield
        self._stop.set()

    def join(self) -> None:
        """Wait for the end of the thread, which has found no fault: a process with threads may not fork."""
        self._thread.join()

    def _run(self) -> None:
        while self.fault and not self._stop.wait(LOOK_EVERY):
            self._look_again()
        if not self._stop.is_set():
            self.on_end()

    def _look_again(self) -> None:
        before = self.fault
        try:
            self.fault = self._look()
        except BaseException as fault:
            self.fault, self.raised = "", fault
        if self.fault not in ("", before):
            self._tell()

    def _tell(self) -> None:
        if not self._is_told:
            _log.error("database_closed fault='%s'", self.fault)


def build_closed_app(settings: Settings, looks: Looks) -> ClosedApp:
    """The application, which lasts as long as the looks."""

    async def send_readiness(request: Request) -> Response:
        """503; whoever may see the metrics is told what is wrong and where."""
        is_told = may_see(request, settings.metrics_token)
        said = looks.fault if is_told else "cannot be used: the collector's log says why"
        return JSONResponse({"status": "not ready", "database": said}, 503)

    metrics = Metrics(process_numbers(1), 0, tuple(Refusal))
    metrics.registry.register(StorageMetrics(settings.database_url))
    others = Starlette(
        routes=[
            Route("/healthz", send_health),
            Route("/readyz", send_readiness),
            Route("/metrics", metrics_sender(metrics, settings.metrics_token)),
            *assets.routes,
        ],
        exception_handlers={HTTPException: send_refusal, Exception: send_refusal},
        lifespan=lambda _: looks.running(),
    )
    others.router.redirect_slashes = False
    clients = Clients(settings.trusted_proxies, lambda _fault: None)
    connections = open_connections(settings, clients, metrics)
    return ClosedApp(unquote(settings.public_path), others, metrics, connections)


def _refuse(method: str, count: Callable[[str], None]) -> responses.Response:
    if method == "OPTIONS":
        return responses.PREFLIGHT
    if method != "POST":
        return responses.NOT_ALLOWED
    count(Reason.NOT_COMMITTED)
    return responses.refused(Reason.NOT_COMMITTED)
