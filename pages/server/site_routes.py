"""The address from which pages learn at once that a site has changed.

    GET  /changes    the revision of every site, then of each that changes, as server-sent events

Whoever may see the pages may read it, of the sites that they see. It says nothing of visitors.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pages.server.access import guarded_get, identity_of
from pages.server.base_path import below_base
from pages.server.event_stream import EventStream, events
from pages.server.news import json_of, now_ms
from pages.server.site_feed import SiteFeed, read_revisions
from pages.server.unavailable import or_unavailable


def site_routes(feed: SiteFeed) -> list[BaseRoute]:
    """The routes for `st.App(routes=...)`."""

    async def stream(request: Request) -> Response:
        site_ids = identity_of(request).site_ids
        subscriber = await feed.subscribe(site_ids)
        try:
            first = await read_revisions(site_ids)
        except BaseException:
            feed.unsubscribe(subscriber)
            raise
        hello = json_of({"now": now_ms(), "following": feed.is_following})
        return EventStream(
            events(subscriber, hello, first), on_end=lambda: feed.unsubscribe(subscriber)
        )

    return [Route(below_base("/changes"), guarded_get(or_unavailable(stream)))]
