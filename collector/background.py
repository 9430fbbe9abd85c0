"""What runs besides the requests: loaded before the first one, ended after the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import Engine

from collector.chat.attendance import Attendance
from collector.chat.streams import Streams
from collector.chat.waiting_invitations import WaitingInvitations
from collector.health_metrics import HealthMetrics
from collector.http.locator import Locator
from collector.metrics import Metrics
from collector.refresher import Refresher, Task
from collector.salts import Salts
from collector.site_cache import SiteCache
from collector.writing.writer import Writer
from core.chat.queries import CHAT_FEED
from core.database import reading
from core.database_threads import DatabaseThreads
from core.enrich.bot import is_bot
from core.enrich.country import country_name, country_of_time_zone
from core.enrich.source import find_source
from core.enrich.user_agent import read_user_agent
from core.feed import Feed, FeedPlace

SITES_EVERY = 2.0
SALTS_EVERY = 60.0
HEALTH_EVERY = 10.0
COUNTRY_FILE_EVERY = 3.0


class Background:
    """The threads and tasks of a collector: docs/architecture.md has them in a table."""

    def __init__(
        self,
        engine: Engine,
        threads: DatabaseThreads,
        writer: Writer,
        site_cache: SiteCache,
        salts: Salts,
        attendance: Attendance,
        waiting: WaitingInvitations,
        streams: Streams,
        metrics: Metrics,
        health: HealthMetrics,
        locator: Locator,
    ) -> None:
        self._engine = engine
        self._threads = threads
        self._writer = writer
        self._waiting = waiting
        self._streams = streams
        self._metrics = metrics
        self._tasks = [
            Task("sites", site_cache.refresh, SITES_EVERY),
            Task("reception", attendance.refresh, SITES_EVERY),
            Task("salts", salts.refresh, SALTS_EVERY),
        ]
        # Nobody waits for these at the start.
        self._later = [
            Task("health", health.refresh, HEALTH_EVERY),
            Task("country file", locator.refresh, COUNTRY_FILE_EVERY),
        ]

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Everything is loaded and runs; at the end what waits is committed."""
        await asyncio.to_thread(_warm_up)
        for task in self._tasks:
            await self._threads.run(task.run)
        place = await self._threads.run(self._load_waiting)
        streams = self._streams
        feed = Feed(self._engine, CHAT_FEED, streams.take_changes, streams.let_go, place)
        self._metrics.watch_feed(lambda: feed.is_following)
        refresher = Refresher([*self._tasks, *self._later])
        self._writer.start(asyncio.get_running_loop())
        streams.subscribers.start(lambda: feed.is_following)
        feed.start()
        refresher.start()
        yield
        streams.subscribers.stop()
        await asyncio.to_thread(refresher.stop)
        await asyncio.to_thread(feed.stop)
        await self._writer.stop()
        self._engine.dispose()

    def _load_waiting(self) -> FeedPlace:
        """The place at which the feed goes on."""
        with reading(self._engine) as db:
            return self._waiting.load(db)


def _warm_up() -> None:
    """Load tables and compile patterns before the first visitor waits for it."""
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
    read_user_agent(agent)
    is_bot(agent)
    find_source(referrer="https://shop.example/", own_host="www.shop.example")
    country_name(country_of_time_zone("Europe/Berlin"))
