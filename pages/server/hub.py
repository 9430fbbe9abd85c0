"""What is told to the open streams: whatever changes in the chats, made once for all of them.

One feed for the process looks at the database while somebody listens. A listener that does not keep
up is let go: it comes back and says how far it got.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from core.chat.feed import Feed
from core.chat.queries import Changes, newest_revision
from core.deadline import DatabaseUnavailable, database_engine, read_async
from pages.server.news import News, note_agents, told_of

MOST_UNREAD = 100
"""Changes that wait for a listener before it is let go."""

BEAT = 20.0
"""Seconds between two signs that an agent has the dashboard open."""

_log = logging.getLogger("pages.chats")


@dataclass(eq=False)
class Listener:
    """One open stream of an agent: `queue` holds what it has not been told; None: it is over."""

    agent_id: int
    queue: asyncio.Queue[News | None] = field(
        default_factory=lambda: asyncio.Queue(MOST_UNREAD + 1)
    )

    def hear(self, told: News) -> bool:
        """Put it in the queue; False when the listener does not keep up."""
        if self.queue.qsize() >= MOST_UNREAD:
            return False
        self.queue.put_nowait(told)
        return True

    def end(self) -> None:
        """Have the stream end; what it was not told it will ask for."""
        with suppress(asyncio.QueueFull):
            self.queue.put_nowait(None)


class Hub:
    """The listeners of this process. Only the feed's `on_changes` runs elsewhere than on the loop."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._opening = asyncio.Lock()
        self._feed: Feed | None = None
        self._beats: asyncio.Task[None] | None = None
        self._is_closed = False

    async def open(self, agent_id: int) -> Listener:
        """A listener that hears of every change from now on. Raises DatabaseUnavailable."""
        async with self._opening:
            if self._feed is None and not self._is_closed:
                await self._start()
        listener = Listener(agent_id)
        self._listeners.add(listener)
        if self._is_closed:
            listener.end()
        return listener

    def close(self, listener: Listener) -> None:
        """Forget the listener."""
        self._listeners.discard(listener)

    def end(self) -> None:
        """End every stream, and let none begin: the process is about to stop."""
        self._is_closed = True
        if self._beats is not None:
            self._beats.cancel()
        self._let_go()

    async def stop(self) -> None:
        """End the streams and the feed."""
        self.end()
        if self._feed is not None:
            await asyncio.to_thread(self._feed.stop)
            self._feed = None

    async def _start(self) -> None:
        """The feed begins where the database is now: what a listener reads later is no older."""
        revision = await read_async(newest_revision)
        loop = asyncio.get_running_loop()
        self._feed = Feed(database_engine(), self._teller(loop), start_at=revision)
        self._feed.start()
        self._beats = asyncio.create_task(self._beat(), name="agents seen")

    def _teller(self, loop: asyncio.AbstractEventLoop) -> Callable[[Changes], None]:
        def on_changes(changes: Changes) -> None:
            try:
                told = told_of(changes)
            except Exception as fault:
                # The feed goes on after these changes, whatever it was: who listens must ask.
                _log.warning("chat_changes_not_read fault=%s", type(fault).__name__)
                _call(loop, self._let_go)
                return
            _call(loop, self._tell, told)

        return on_changes

    def _tell(self, told: News) -> None:
        for listener in [each for each in self._listeners if not each.hear(told)]:
            self._listeners.discard(listener)
            listener.end()

    def _let_go(self) -> None:
        for listener in self._listeners:
            listener.end()

    async def _beat(self) -> None:
        """While somebody listens; the feed ends with the first beat that finds nobody."""
        while self._listeners or not await self._is_idle():
            agents = {listener.agent_id for listener in self._listeners}
            if agents:
                await self._note(agents)
            await asyncio.sleep(BEAT)

    async def _note(self, agents: set[int]) -> None:
        try:
            await note_agents(agents)
        except DatabaseUnavailable as fault:
            _log.warning("agents_not_noted fault=%s", type(fault).__name__)

    async def _is_idle(self) -> bool:
        """Whether the feed was stopped because nobody has come since the last beat."""
        async with self._opening:
            if self._listeners:
                return False
            feed, self._feed = self._feed, None
            if feed is not None:
                await asyncio.to_thread(feed.stop)
            return True


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *values: object) -> None:
    """On the loop, unless the process is ending."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function, *values)
