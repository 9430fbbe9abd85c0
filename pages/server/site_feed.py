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
from core.site_changes import SITE_FEED, ChangedSites, SiteRevisions, site_revisions
from core.subscribers import Subscriber
from pages.server.feed_streams import FeedStreams
from pages.server.news import News, json_of
from pages.server.pace import Pace
from pages.server.told_revisions import note_told

ANY_SITE = ""
"""In place of a site's key: the revision of all sites of which a stream tells."""

SiteSubscriber = Subscriber[SiteIds, News]
"""One open stream: all of the same sites get the same."""


class SiteFeed(FeedStreams[SiteIds, ChangedSites]):
    """The subscribers to the sites' changes in this process."""

    def __init__(self) -> None:
        super().__init__(SITE_FEED)
        self._pace = Pace()
        self._numbers = count(1)
        self._revisions = SiteRevisions({}, {})
        self._timer: asyncio.TimerHandle | None = None

    def publish(self, changes: ChangedSites) -> None:
        """Say it of each site at its pace."""
        self._subscribers.call_on_loop(self._add, changes)

    def _add(self, changes: ChangedSites) -> None:
        self._revisions = changes.revisions
        self._pace.add({**changes.sites, ANY_SITE: changes.revisions.of_sites(None)})
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
        note_told(due)
        for site_ids in list(self._subscribers.keys):
            if seen := _seen_of(due, self._revisions, site_ids):
                self._subscribers.publish(site_ids, _news(number, seen))


async def read_revisions(site_ids: SiteIds = None) -> News:
    """The newest revision of each of these sites that has ever changed. Raises DatabaseUnavailable."""
    revisions = await read_async(site_revisions)
    known = {key: revisions.of_site(key) for key in revisions.ids}
    note_told(known)
    known[ANY_SITE] = revisions.of_sites(None)
    return _news(0, _seen_of(known, revisions, site_ids))


def _seen_of(
    due: Mapping[str, int], revisions: SiteRevisions, site_ids: SiteIds
) -> Mapping[str, int]:
    """Of all sites together only what is of these is told."""
    if site_ids is None:
        return due
    seen = {key: revision for key, revision in due.items() if revisions.ids.get(key) in site_ids}
    return seen and {**seen, ANY_SITE: revisions.of_sites(site_ids)}


def _news(number: int, revisions: Mapping[str, int]) -> News:
    return News(number, json_of({"sites": revisions}))
