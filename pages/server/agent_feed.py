"""The agents' streams: what changes in the chats, and who has the dashboard open."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from core.accounts.identity import SiteIds
from core.agents import mark_seen
from core.chat.queries import CHAT_FEED, Changes
from core.database import Connection
from core.deadline import write_async
from core.moment import utc_now
from core.subscribers import Subscriber
from pages.server.feed_streams import FeedStreams
from pages.server.news import News, read_news


class Listener(NamedTuple):
    """An agent, and the sites of which they hear."""

    agent_id: int
    site_ids: SiteIds = None


AgentSubscriber = Subscriber[Listener, News]
"""One open stream or poll."""


class AgentFeed(FeedStreams[Listener, Changes]):
    """The agents' subscribers in this process."""

    def __init__(self) -> None:
        super().__init__(CHAT_FEED)

    async def subscribe(self, key: Listener) -> AgentSubscriber:
        """As of every feed; the agent is marked as seen."""
        await _mark_seen([key.agent_id])
        return await super().subscribe(key)

    def publish(self, changes: Changes) -> None:
        """Make the news once for all subscribers who hear of the same sites."""
        limits: set[SiteIds] = set()
        self._subscribers.call_on_loop(self._note_limits, limits)
        # Who comes now reads for themselves what is committed by now.
        self._subscribers.call_on_loop(self._tell, read_news(changes, limits))

    async def check(self) -> None:
        """Mark who is connected as seen."""
        await _mark_seen({listener.agent_id for listener in self._subscribers.keys})

    def _note_limits(self, limits: set[SiteIds]) -> None:
        limits.update(listener.site_ids for listener in self._subscribers.keys)

    def _tell(self, news: Mapping[SiteIds, News]) -> None:
        for listener in [each for each in self._subscribers.keys if each.site_ids in news]:
            self._subscribers.publish(listener, news[listener.site_ids])


async def _mark_seen(agents: Collection[int]) -> None:
    """Record that these agents have the dashboard open."""
    if not agents:
        return
    now = utc_now()

    def mark(db: Connection) -> None:
        for agent_id in agents:
            mark_seen(db, agent_id, now)

    await write_async(mark)
