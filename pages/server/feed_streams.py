"""The streams of this process that one feed serves, as long as there is one.

A stream that does not keep up is ended: its browser connects again, and reads what it has not got.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Generic, TypeVar

from core.deadline import database_engine, read_async
from core.feed import Feed, FeedSource, HasPlace
from core.subscribers import Subscriber, Subscribers
from pages.server.news import News

MOST_UNREAD = 100
"""How many unread items a stream may have before it is ended."""

MOST_STREAMS = 500
"""Streams of one kind that the dashboard's process holds: one browser has one."""

CHECK_EVERY = 20.0
"""Seconds between two checks whether anybody listens."""

FULL = f"The dashboard holds {MOST_STREAMS} streams, which is the most: close a browser that needs none."

Key = TypeVar("Key", bound=Hashable)
Changes = TypeVar("Changes", bound=HasPlace)

_log = logging.getLogger("pages.streams")


class TooManyStreams(Exception):
    """MOST_STREAMS are open; the text says what to do."""


class FeedStreams(ABC, Generic[Key, Changes]):
    """The subscribers of one kind in this process. All but `publish` runs on the event loop."""

    def __init__(self, source: FeedSource[Changes]) -> None:
        self._source = source
        self._subscribers: Subscribers[Key, News] = Subscribers()
        self._starting = asyncio.Lock()
        self._feed: Feed[Changes] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._is_closed = False

    @abstractmethod
    def publish(self, changes: Changes) -> None:
        """Give the changes to the subscribers; called on the feed's thread."""

    @property
    def is_following(self) -> bool:
        """Whether subscribers get what is new at once."""
        return self._feed is not None and self._feed.is_following

    async def subscribe(self, key: Key) -> Subscriber[Key, News]:
        """A subscriber to every change from now on. Raises DatabaseUnavailable and TooManyStreams."""
        async with self._starting:
            if self._feed is None and not self._is_closed:
                await self._start()
        if len(self._subscribers) >= MOST_STREAMS:
            _log.warning("%s_streams_full open=%s", self._source.name, MOST_STREAMS)
            raise TooManyStreams(FULL)
        subscriber: Subscriber[Key, News] = Subscriber(key, MOST_UNREAD)
        self._subscribers.add(subscriber)
        if self._is_closed:
            subscriber.end()
        return subscriber

    def unsubscribe(self, subscriber: Subscriber[Key, News]) -> None:
        """Forget the subscriber."""
        self._subscribers.remove(subscriber)

    def end(self) -> None:
        """End every stream and accept no new one: the process is about to stop."""
        self._is_closed = True
        if self._checking is not None:
            self._checking.cancel()
        self._subscribers.end()

    async def stop(self) -> None:
        """End the streams and the feed."""
        self.end()
        await self._stop_feed()

    async def _start(self) -> None:
        """Start the feed at the database's newest place: what a subscriber reads later is no older."""
        place = await read_async(self._source.newest)
        feed = Feed(database_engine(), self._source, self.publish, self._let_go, start_at=place)
        feed.start()
        self._feed = feed
        self._subscribers.start(lambda: feed.is_following)
        self._checking = asyncio.create_task(self._check_while_needed(), name="streams checked")

    async def _stop_feed(self) -> None:
        feed, self._feed = self._feed, None
        if feed is not None:
            self._subscribers.stop()
            await asyncio.to_thread(feed.stop)

    def _let_go(self) -> None:
        """End every stream: its browser comes again, and asks for what it has not got."""
        self._subscribers.call_on_loop(self._subscribers.end)

    async def _check_while_needed(self) -> None:
        """Check every CHECK_EVERY; end the feed when there is nobody."""
        is_idle = False
        while not is_idle:
            try:
                is_idle = await self._is_idle()
            except Exception as fault:
                fault_name = type(fault).__name__
                _log.warning("%s_streams_not_checked fault=%s", self._source.name, fault_name)
            if not is_idle:
                await asyncio.sleep(CHECK_EVERY)

    async def _is_idle(self) -> bool:
        """Whether the feed was stopped because there is still no subscriber."""
        async with self._starting:
            if self._subscribers.keys:
                return False
            await self._stop_feed()
            return True
