"""What runs besides the requests: loaded before the first one, ended after the last."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import Engine

from collector.chat.attendance import Attendance
from collector.chat.streams import Streams
from collector.chat.waiting_invitations import WaitingInvitations
from collector.control import hear
from collector.health_metrics import HealthMetrics
from collector.http.locator import Locator
from collector.metrics import Gauge, Metrics
from collector.refresher import Refresher, Task
from collector.salts import Salts
from collector.site_cache import SiteCache
from collector.writing.writer_link import WriterLink
from core.chat.queries import CHAT_FEED
from core.database import reading
from core.database_threads import DatabaseThreads
from core.feed import Feed, FeedPlace

SITES_EVERY = 2.0
SALTS_EVERY = 60.0
HEALTH_EVERY = 10.0
COUNTRY_FILE_EVERY = 3.0

WRITER_WITHIN = 5.0
"""Seconds for which the start waits for the writer; beacons then wait for it in the queue."""


class Background:
    """The threads and tasks of a collector: docs/architecture.md has them in a table."""

    def __init__(
        self,
        engine: Engine,
        threads: DatabaseThreads,
        link: WriterLink,
        control: socket.socket,
        site_cache: SiteCache,
        salts: Salts,
        attendance: Attendance,
        waiting: WaitingInvitations,
        streams: Streams,
        metrics: Metrics,
        health: HealthMetrics,
        locator: Locator,
        on_lost: Callable[[], None],
    ) -> None:
        """control: by it the parent gives a link to each writer. on_lost: is called when there is no parent any more."""
        self._engine = engine
        self._threads = threads
        self._link = link
        self._control = control
        self._waiting = waiting
        self._streams = streams
        self._metrics = metrics
        self._on_lost = on_lost
        self._connecting: asyncio.Task[None] | None = None
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
        asyncio.get_running_loop().add_reader(self._control, self._obey)
        self._link.start()
        for task in self._tasks:
            await self._threads.run(task.run)
        place = await self._threads.run(self._load_waiting)
        await self._link.first_writer(WRITER_WITHIN)
        streams = self._streams
        feed = Feed(self._engine, CHAT_FEED, streams.take_changes, streams.let_go, place)
        self._metrics.watch(Gauge.IS_FOLLOWING, lambda: feed.is_following)
        refresher = Refresher([*self._tasks, *self._later])
        streams.subscribers.start(lambda: feed.is_following)
        feed.start()
        refresher.start()
        yield
        streams.subscribers.stop()
        await asyncio.to_thread(refresher.stop)
        await asyncio.to_thread(feed.stop)
        await self._link.stop()
        asyncio.get_running_loop().remove_reader(self._control)

    def _obey(self) -> None:
        """Take what the parent says: here is a writer; or nothing, as it has ended."""
        said = hear(self._control)
        if said.link:
            self._connecting = asyncio.create_task(self._link.connect(said.link))
        elif said.word is None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._on_lost()

    def _load_waiting(self) -> FeedPlace:
        """The place at which the feed goes on."""
        with reading(self._engine) as db:
            return self._waiting.load(db)
