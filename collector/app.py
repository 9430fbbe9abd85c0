"""The collector as one ASGI application: the hot paths in front, Starlette behind them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from collector.background import Background
from collector.beacon.route import BeaconRoute
from collector.chat.actions import ACTIONS, RESULTS
from collector.chat.attendance import Attendance
from collector.chat.listen_route import ListenRoute
from collector.chat.listener_limit import MOST_LISTENERS, ListenerLimit
from collector.chat.listeners import Listeners
from collector.chat.offers import Offers
from collector.chat.route import PREFIX, ConversationRoute
from collector.chat.stream_limit import StreamLimit
from collector.chat.stream_route import StreamRoute
from collector.chat.streams import Streams
from collector.chat.waiting_invitations import WaitingInvitations
from collector.chat.words_route import words_routes
from collector.health_metrics import HealthMetrics
from collector.http import assets, demo_shop, responses
from collector.http.admission import Admission, send_response
from collector.http.connections import Connections, open_connections
from collector.http.direct_request import DirectRoute
from collector.http.errors import send_refusal
from collector.http.file_limit import room_for_listeners, room_for_streams
from collector.http.health import health_routes
from collector.http.held_counts import OwnCounts, SharedCounts
from collector.http.known_heads import KnownHeads
from collector.http.locator import Locator
from collector.http.public_path import at_root
from collector.http.rate_limit import RateLimiter, SharedRateLimiter
from collector.http.readiness import Readiness
from collector.http.refusal import Refusal
from collector.metrics import Gauge, Metrics
from collector.salts import Salts
from collector.shared_table import SharedTable
from collector.site_cache import SiteCache
from collector.worker_slot import WorkerSlot
from collector.writing.codec import ActionCodec
from collector.writing.commit_state import WriterState
from collector.writing.counters import Counters
from collector.writing.write_queue import WriteQueue
from collector.writing.writer_link import WriterLink
from core.client import Clients
from core.database_threads import DatabaseThreads
from core.reasons import Reason
from core.settings import Settings

_MOST_WAITING = 10_000
"""Calls that may wait for a thread: after a restart all streams come again at about the same time."""


def system_clock() -> int:
    """The moment in whole milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class App(Struct):
    """The ASGI application. It answers at the root, and below the path of its public address.

    Beacons never come here: the protocol gives them to the route itself (`direct`).
    """

    public_path: str
    beacon: BeaconRoute
    conversation: ConversationRoute
    others: ASGIApp
    connections: Connections
    known_heads: KnownHeads

    @property
    def direct(self) -> DirectRoute:
        """The route that needs no ASGI."""
        return self.beacon

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope = at_root(scope, self.public_path)
        try:
            await self._find(scope)(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            # Only a stop cancels a request, once it has waited for long: its client is to send it again.
            await send_response(responses.refused(Reason.NOT_COMMITTED), send)

    def _find(self, scope: Scope) -> ASGIApp:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            return self.conversation
        return self.others


def build_app(
    settings: Settings,
    engine: Engine,
    slot: WorkerSlot,
    *,
    clock: Callable[[], int] = system_clock,
    on_lost: Callable[[], None] = lambda: None,
) -> App:
    """The application of one worker; the tables must be there. Its lifespan begins and ends what runs beside it.

    on_lost: is called when the parent has ended.
    """
    metrics = Metrics(slot.numbers, slot.row, tuple(Refusal))
    counters, write_queue = Counters(), WriteQueue()
    state = WriterState(slot.of_writer)
    link = WriterLink(write_queue, counters, state, ActionCodec(ACTIONS, RESULTS), metrics)
    threads = DatabaseThreads(_MOST_WAITING)
    site_cache, salts = SiteCache(engine), Salts(engine, threads, clock)
    listeners = Listeners()
    attendance, waiting = Attendance(engine, clock), WaitingInvitations(listeners)
    offers = Offers(waiting, attendance, write_queue)
    streams = Streams(waiting, attendance, clock)
    health = HealthMetrics(engine, settings, clock)
    readiness = Readiness(engine, state, write_queue)
    metrics.registry.register(health)
    metrics.watch(Gauge.DEPTH, lambda: write_queue.depth)
    metrics.watch(Gauge.STREAMS, lambda: len(streams.subscribers))
    metrics.watch(Gauge.LISTENERS, lambda: len(listeners))
    limits = slot.limits
    limiter = _limiter(settings, limits and limits.beacons)
    admission = _build_admission(settings, limiter, site_cache, counters, metrics, clock)
    chat_admission = replace(
        admission, limiter=_limiter(settings, limits and limits.calls), count=metrics.call
    )
    stream_limit = _stream_limit(settings, slot)
    stream_route = StreamRoute(chat_admission, engine, threads, streams, stream_limit, clock)
    listener_limit = _listener_limit(attendance, slot)
    listen_route = ListenRoute(chat_admission, listener_limit, listeners, offers, clock)
    connections = open_connections(
        settings, admission.clients, metrics, limits and limits.connections
    )
    locator = Locator(settings.geoip_database, counters.warn)
    background = Background(
        engine,
        threads,
        link,
        slot.control,
        site_cache,
        salts,
        attendance,
        waiting,
        streams,
        metrics,
        health,
        locator,
        on_lost,
    )
    public_path = unquote(settings.public_path)
    return App(
        public_path,
        BeaconRoute(
            public_path,
            admission,
            salts,
            locator.locate,
            settings.count_bots,
            write_queue,
            offers,
            listener_limit,
        ),
        ConversationRoute(
            chat_admission,
            salts,
            write_queue,
            stream_route,
            listen_route,
            attendance,
            offers,
            clock,
        ),
        _build_others(settings, metrics, health, readiness, background, site_cache),
        connections,
        KnownHeads(),
    )


def _limiter(settings: Settings, shared: SharedTable | None) -> RateLimiter | SharedRateLimiter:
    if shared is None:
        return RateLimiter(settings.rate_limit)
    return SharedRateLimiter(settings.rate_limit, shared)


def _stream_limit(settings: Settings, slot: WorkerSlot) -> StreamLimit:
    """Each takes an open file of its process, also where the number is that of all workers."""
    most, room = settings.streams, room_for_streams()
    if slot.limits is None:
        return StreamLimit(min(most, room), settings.streams_per_address, OwnCounts())
    counts = SharedCounts(slot.limits.streams, slot.row, room)
    return StreamLimit(most, settings.streams_per_address, counts)


def _listener_limit(attendance: Attendance, slot: WorkerSlot) -> ListenerLimit:
    """As for streams: each takes an open file of its process."""
    room = room_for_listeners()
    if slot.limits is None:
        return ListenerLimit(attendance, OwnCounts(), room)
    counts = SharedCounts(slot.limits.listeners, slot.row, room)
    return ListenerLimit(attendance, counts, MOST_LISTENERS)


def _build_admission(
    settings: Settings,
    limiter: RateLimiter | SharedRateLimiter,
    site_cache: SiteCache,
    counters: Counters,
    metrics: Metrics,
    clock: Callable[[], int],
) -> Admission:
    return Admission(
        clock=clock,
        clients=Clients(settings.trusted_proxies, counters.warn),
        limiter=limiter,
        site_cache=site_cache,
        country_header=settings.country_header.lower().encode(),
        counters=counters,
        count=metrics.beacon,
    )


def _build_others(
    settings: Settings,
    metrics: Metrics,
    health: HealthMetrics,
    readiness: Readiness,
    background: Background,
    site_cache: SiteCache,
) -> Starlette:
    """Every path but the hot ones."""
    others = Starlette(
        routes=[
            *health_routes(readiness, metrics, health, settings.metrics_token),
            *words_routes(site_cache),
            *assets.routes,
            *(demo_shop.routes(settings.public_path) if settings.demo else []),
        ],
        exception_handlers={HTTPException: send_refusal, Exception: send_refusal},
        lifespan=lambda _: background.running(),
    )
    others.router.redirect_slashes = False
    return others
