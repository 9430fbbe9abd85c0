"""The streams that say which site has changed, and nothing else: the pages then read for themselves.

Who sees only some sites is told of no other, not even that it changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import count
from time import monotonic

from core.accounts.identity import SiteIds
from core.deadline import read_async
from core.site_changes import SITE_FEED, ChangedSites, changed_sites
from core.sites import list_sites
from core.subscribers import Subscriber
from pages.server.feed_streams import FeedStreams
from pages.server.news import News, json_of
from pages.server.pace import Pace

ANY_SITE = ""
"""In place of a site's key: the newest revision of them all."""

SiteKeys = frozenset[str] | None
"""The sites of which a stream tells; None for every one."""

SiteSubscriber = Subscriber[SiteKeys, News]
"""One open stream: all of the same sites get the same."""


class SiteFeed(FeedStreams[SiteKeys, ChangedSites]):
    """The subscribers to the sites' changes in this process."""

    def __init__(self) -> None:
        super().__init__(SITE_FEED)
        self._pace = Pace()
        self._numbers = count(1)
        self._timer: asyncio.TimerHandle | None = None

    def publish(self, changes: ChangedSites) -> None:
        """Say it of each site at its pace."""
        self._subscribers.call_on_loop(self._add, _revisions(changes))

    def _add(self, revisions: Mapping[str, int]) -> None:
        self._pace.add(revisions)
        self._tell_due()

    def _tell_due(self) -> None:
        if due := self._pace.take_due(monotonic()):
            self._tell(due)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (next_at := self._pace.next_at) is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(next_at - monotonic(), self._tell_due)

    def _tell(self, due: Mapping[str, int]) -> None:
        # A number of its own: what had to wait has a lower revision than what was told before.
        number = next(self._numbers)
        for keys in list(self._subscribers.keys):
            if seen := _seen_of(due, keys):
                self._subscribers.publish(keys, _news(number, seen))


async def keys_of(site_ids: SiteIds) -> SiteKeys:
    """The keys of the sites with these ids. Raises DatabaseUnavailable."""
    if site_ids is None:
        return None
    sites = await read_async(list_sites)
    return frozenset(site.key for site in sites if site.id in site_ids)


async def read_revisions(keys: SiteKeys = None) -> News:
    """The newest revision of each of these sites that has ever changed. Raises DatabaseUnavailable."""
    changes = await read_async(lambda db: changed_sites(db, 0))
    return _news(0, _seen_of(_revisions(changes), keys))


def _revisions(changes: ChangedSites) -> dict[str, int]:
    return {**changes.sites, ANY_SITE: changes.revision}


def _seen_of(revisions: Mapping[str, int], keys: SiteKeys) -> Mapping[str, int]:
    """The newest of them all is that of the sites that are seen."""
    if keys is None:
        return revisions
    seen = {key: revision for key, revision in revisions.items() if key in keys}
    return seen and {**seen, ANY_SITE: max(seen.values())}


def _news(number: int, revisions: Mapping[str, int]) -> News:
    return News(number, json_of({"sites": revisions}))
