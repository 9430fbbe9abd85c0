"""The collector as one ASGI application: the hot paths in front, Starlette behind them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache, partial

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from collector.beacon.route import PATH, BeaconRoute
from collector.chat.attendance import Attendance
from collector.chat.offers import Offers
from collector.chat.perform import perform
from collector.chat.route import PREFIX, ConversationRoute
from collector.chat.stream_route import StreamRoute
from collector.chat.streams import Streams
from collector.chat.waiting_invitations import WaitingInvitations
from collector.http import assets, demo_shop
from collector.http.admission import Admission
from collector.http.body import MAX_BYTES, BodyReader
from collector.http.client import Client, Clients
from collector.http.errors import send_refusal
from collector.http.health import health_routes
from collector.http.rate_limit import RateLimiter
from collector.metrics import Metrics
from collector.refresher import Refresher, Task
from collector.salts import Salts
from collector.site_cache import SiteCache
from collector.writing.counters import Counters
from collector.writing.housekeeping import Housekeeping, Retention
from collector.writing.write_queue import WriteQueue
from collector.writing.writer import Writer
from core.chat.feed import Feed
from core.command_error import CommandError
from core.database import reading
from core.database_threads import DatabaseThreads
from core.enrich.address import Address
from core.enrich.bot import is_bot
from core.enrich.country import (
    CountryDatabase,
    country_name,
    country_of_address,
    country_of_code,
    country_of_time_zone,
)
from core.enrich.source import find_source
from core.enrich.user_agent import read_user_agent
from core.settings import Settings

SITES_EVERY = 2.0
SALTS_EVERY = 60.0
_CACHED_ADDRESSES = 16_384
_MOST_WAITING = 10_000
"""Calls that may wait for a thread: after a restart all streams come again at about the same time."""


def system_clock() -> int:
    """The moment in whole milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class App(Struct):
    """The ASGI application."""

    beacon: BeaconRoute
    conversation: ConversationRoute
    others: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._find(scope)(scope, receive, send)

    def _find(self, scope: Scope) -> ASGIApp:
        if scope["type"] == "http":
            if scope["path"] == PATH:
                return self.beacon
            if scope["path"].startswith(PREFIX):
                return self.conversation
        return self.others


def build_app(
    settings: Settings, engine: Engine, *, clock: Callable[[], int] = system_clock
) -> App:
    """The application; the tables must be there. Its lifespan starts and drains the writer."""
    metrics, counters = Metrics(), Counters()
    retention = Retention(settings.retention_days, settings.chat_retention_days)
    housekeeping = Housekeeping(engine, retention, clock)
    write_queue = WriteQueue()
    writer = Writer(engine, write_queue, perform, counters, metrics, housekeeping, clock)
    threads = DatabaseThreads(_MOST_WAITING)
    site_cache, salts = SiteCache(engine), Salts(engine, threads, clock)
    attendance, waiting = Attendance(engine, clock), WaitingInvitations()
    offers = Offers(waiting, attendance, write_queue)
    streams = Streams(waiting, attendance, clock)
    metrics.watch_queue(lambda: write_queue.depth)
    metrics.watch_streams(lambda: len(streams.subscribers))
    refresher = Refresher(
        [
            Task("sites", site_cache.refresh, SITES_EVERY),
            Task("reception", attendance.refresh, SITES_EVERY),
            Task("salts", salts.refresh, SALTS_EVERY),
        ]
    )
    admission = Admission(
        clock=clock,
        bodies=BodyReader(MAX_BYTES),
        clients=Clients(settings.trusted_proxies, counters.warn),
        limiter=RateLimiter(settings.rate_limit),
        site_cache=site_cache,
        country_header=settings.country_header.lower().encode(),
        counters=counters,
        count=metrics.beacon,
    )
    beacon = BeaconRoute(
        admission=admission,
        salts=salts,
        locate=_locator(settings),
        counts_bots=settings.count_bots,
        write_queue=write_queue,
        offers=offers,
    )
    chat_admission = replace(admission, count=metrics.call)
    conversation = ConversationRoute(
        admission=chat_admission,
        salts=salts,
        write_queue=write_queue,
        streams=StreamRoute(chat_admission, engine, threads, streams, clock),
        attendance=attendance,
        offers=offers,
        clock=clock,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        await asyncio.to_thread(_warm_up)
        for refresh in (site_cache.refresh, attendance.refresh, salts.refresh):
            await threads.run(refresh)
        feed = Feed(
            engine, streams.take_changes, await threads.run(partial(_load, engine, waiting))
        )
        writer.start(asyncio.get_running_loop())
        streams.subscribers.start()
        feed.start()
        refresher.start()
        yield
        streams.subscribers.stop()
        await asyncio.to_thread(refresher.stop)
        await asyncio.to_thread(feed.stop)
        await writer.stop()
        engine.dispose()

    others = Starlette(
        routes=[
            *health_routes(engine, metrics, settings.metrics_token),
            *assets.routes,
            *(demo_shop.routes if settings.demo else []),
        ],
        exception_handlers={HTTPException: send_refusal, Exception: send_refusal},
        lifespan=lifespan,
    )
    others.router.redirect_slashes = False
    return App(beacon, conversation, others)


def _load(engine: Engine, waiting: WaitingInvitations) -> int:
    with reading(engine) as db:
        return waiting.load(db)


def open_country_database(settings: Settings) -> CountryDatabase | None:
    """The owner's own country database, or None. Raises CommandError."""
    file = settings.geoip_database
    try:
        return CountryDatabase(file) if file else None
    except ValueError as fault:
        raise CommandError(f"MONITOR_GEOIP_DATABASE cannot be used: {fault}.") from None


def _locator(settings: Settings) -> Callable[[Client, str], str]:
    """Country of a client: the header of a trusted proxy, the owner's database, the bundled one."""
    database = open_country_database(settings)

    @lru_cache(maxsize=_CACHED_ADDRESSES)
    def of_address(address: Address | None) -> str:
        return country_of_address(address, database)

    def locate(client: Client, hint: str) -> str:
        return (country_of_code(hint) if hint else "") or of_address(client.address)

    return locate


def _warm_up() -> None:
    """Load tables and compile patterns before the first visitor waits for it."""
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
    read_user_agent(agent)
    is_bot(agent)
    find_source(referrer="https://shop.example/", own_host="www.shop.example")
    country_name(country_of_time_zone("Europe/Berlin"))
