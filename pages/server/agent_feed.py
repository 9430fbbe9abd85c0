"""The agents' streams: what changes in the chats; and who has the dashboard open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from core.accounts.identity import SiteIds
from core.agents import mark_seen
from core.deadline import database_engine, write_async
from core.moment import utc_now
from core.subscribers import Subscriber
from pages.server.agent_changes import AGENT_FEED, AgentChanges
from pages.server.feed_streams import FeedStreams
from pages.server.news import News, read_news, read_news_since


class Listener(NamedTuple):
    """An agent, and the sites of which they hear."""

    agent_id: int
    site_ids: SiteIds = None


AgentSubscriber = Subscriber[Listener, News]
"""One open stream or poll."""


class AgentFeed(FeedStreams[Listener, AgentChanges]):
    """The agents' subscribers in this process."""

    def __init__(self) -> None:
        super().__init__(AGENT_FEED)
        self._number = 0
        self._told: Mapping[int, int] = {}
        """The number of the newest news of each site."""

    async def subscribe(self, key: Listener) -> AgentSubscriber:
        """As of every feed; the agent is marked as seen."""
        await mark_here(key.agent_id)
        return await super().subscribe(key)

    def publish(self, changes: AgentChanges) -> None:
        """Make the news once for all subscribers who hear of the same sites."""
        limits: set[SiteIds] = set()
        self._subscribers.call_on_loop(self._note_limits, limits)
        # Of two sites, the change with the lower revision may be committed last.
        notices = [each.revision for each in changes.notices]
        self._number = max(self._number + 1, changes.chats.revision, *notices)
        changes = changes._replace(chats=changes.chats._replace(revision=self._number))
        changed = (*changes.chats.conversations, *changes.notices)
        told = {each.site_id: self._number for each in changed}
        self._told = {**self._told, **told}  # as a whole: the event loop reads it
        # Who comes now reads for themselves what is committed by now.
        self._subscribers.call_on_loop(self._tell, read_news(changes, limits))

    async def read_since(self, known: int, site_ids: SiteIds) -> News:
        """What a browser that has everything up to this revision has missed. Raises DatabaseUnavailable."""
        told = [at for id, at in self._told.items() if site_ids is None or id in site_ids]
        return await read_news_since(known, site_ids, max(told, default=0))

    def begin(self, subscriber: AgentSubscriber, known: int) -> None:
        """Have it get nothing that is known with this revision.

        On Postgres it gets all: by a revision nobody can tell what of other sites was committed before.
        """
        if database_engine().dialect.name == "sqlite":
            subscriber.begin(known)

    def _note_limits(self, limits: set[SiteIds]) -> None:
        limits.update(listener.site_ids for listener in self._subscribers.keys)

    def _tell(self, news: Mapping[SiteIds, News]) -> None:
        for listener in [each for each in self._subscribers.keys if each.site_ids in news]:
            self._subscribers.publish(listener, news[listener.site_ids])


async def mark_here(agent_id: int) -> None:
    """Record that the agent has the dashboard open. Raises DatabaseUnavailable."""
    now = utc_now()
    await write_async(lambda db: mark_seen(db, agent_id, now))
