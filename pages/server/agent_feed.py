"""The agents' subscribers: one feed follows the chats for all of them, as long as there is one.

A stream that does not keep up is ended: its browser connects again and says how far it got.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from core.agents import mark_seen
from core.chat.feed import Feed
from core.chat.queries import Changes, newest_revision
from core.chat.subscribers import Subscriber, Subscribers
from core.database import Connection
from core.deadline import database_engine, read_async, write_async
from core.moment import utc_now
from pages.server.news import News, read_news

MOST_UNREAD = 100
"""How many unread items a stream may have before it is ended."""

MOST_STREAMS = 500
"""Streams and polls that the dashboard's process holds: one browser has one."""

SEEN_EVERY = 20.0
"""Seconds between two marks that an agent has the dashboard open."""

AgentSubscriber = Subscriber[int, News]
"""One open stream or poll; the key is the agent's id."""

_log = logging.getLogger("pages.chats")


class TooManyStreams(Exception):
    """MOST_STREAMS are open."""


class AgentFeed:
    """The subscribers of this process. All but `_publish` runs on the event loop."""

    def __init__(self) -> None:
        self._subscribers: Subscribers[int, News] = Subscribers()
        self._starting = asyncio.Lock()
        self._feed: Feed | None = None
        self._marking: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def is_following(self) -> bool:
        """Whether subscribers get what is new at once."""
        return self._feed is not None and self._feed.is_following

    async def subscribe(self, agent_id: int) -> AgentSubscriber:
        """A subscriber to every change from now on; the agent is marked as seen.

        Raises DatabaseUnavailable and TooManyStreams.
        """
        await _mark_seen([agent_id])
        async with self._starting:
            if self._feed is None and not self._is_closed:
                await self._start()
        if len(self._subscribers) >= MOST_STREAMS:
            _log.warning("agent_streams_full open=%s", MOST_STREAMS)
            raise TooManyStreams
        subscriber = AgentSubscriber(agent_id, MOST_UNREAD)
        self._subscribers.add(subscriber)
        if self._is_closed:
            subscriber.end()
        return subscriber

    def unsubscribe(self, subscriber: AgentSubscriber) -> None:
        """Forget the subscriber."""
        self._subscribers.remove(subscriber)

    def end(self) -> None:
        """End every stream and accept no new one: the process is about to stop."""
        self._is_closed = True
        if self._marking is not None:
            self._marking.cancel()
        self._subscribers.end()

    async def stop(self) -> None:
        """End the streams and the feed."""
        self.end()
        await self._stop_feed()

    async def _start(self) -> None:
        """Start the feed at the database's newest revision: what a subscriber reads later is no older."""
        revision = await read_async(newest_revision)
        feed = Feed(database_engine(), self._publish, self._let_go, start_at=revision)
        feed.start()
        self._feed = feed
        self._subscribers.start(lambda: feed.is_following)
        self._marking = asyncio.create_task(self._mark_while_needed(), name="agents seen")

    async def _stop_feed(self) -> None:
        feed, self._feed = self._feed, None
        if feed is not None:
            self._subscribers.stop()
            await asyncio.to_thread(feed.stop)

    def _publish(self, changes: Changes) -> None:
        """Make the news once for all subscribers; called on the feed's thread."""
        self._subscribers.call_on_loop(self._subscribers.publish_to_all, read_news(changes))

    def _let_go(self) -> None:
        """End every stream: its browser comes again, and asks for what it has not got."""
        self._subscribers.call_on_loop(self._subscribers.end)

    async def _mark_while_needed(self) -> None:
        """Mark every SEEN_EVERY who is connected as seen; end the feed when there is nobody."""
        is_idle = False
        while not is_idle:
            try:
                await _mark_seen(tuple(self._subscribers.keys))
                is_idle = await self._is_idle()
            except Exception as fault:
                _log.warning("agents_not_noted fault=%s", type(fault).__name__)
            if not is_idle:
                await asyncio.sleep(SEEN_EVERY)

    async def _is_idle(self) -> bool:
        """Whether the feed was stopped because there is still no subscriber."""
        async with self._starting:
            if self._subscribers.keys:
                return False
            await self._stop_feed()
            return True


async def _mark_seen(agents: Collection[int]) -> None:
    """Record that these agents have the dashboard open."""
    if not agents:
        return
    now = utc_now()

    def mark(db: Connection) -> None:
        for agent_id in agents:
            mark_seen(db, agent_id, now)

    await write_async(mark)
