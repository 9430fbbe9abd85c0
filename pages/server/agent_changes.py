"""What agents' streams follow: the chats, and the notices."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from core.accounts.identity import SiteIds
from core.chat.queries import CHAT_FEED, Changes
from core.database import Connection
from core.feed import FeedPlace, FeedSource
from core.moment import to_milliseconds
from core.notices.queries import newest_notices, notices_since
from core.notices.text import path_of, plain_title, visit_line
from core.sites import list_sites
from core.tables import Notice
from pages.server.base_path import below_base


class AgentChanges(NamedTuple):
    """Changes in the chats, and new notices. place: of both; see `_place`."""

    chats: Changes
    notices: Sequence[Notice]
    place: FeedPlace


def notices_seen(notices: Sequence[Notice], site_ids: SiteIds) -> list[Notice]:
    """Those of these sites."""
    return [each for each in notices if site_ids is None or each.site_id in site_ids]


def notice_payloads(db: Connection, notices: Collection[Notice]) -> list[dict[str, Any]]:
    """The notices as a browser gets them: without a word of the visitor."""
    sites = {site.id: site for site in list_sites(db)} if notices else {}
    return [
        {
            "id": f"{site.key} {each.id}",
            "revision": each.revision,
            "kind": each.kind,
            "minutes": each.minutes,
            "title": f"{site.name}: {plain_title(each)}",
            "text": visit_line(db, each),
            "path": below_base(path_of(site, each)),
            "at": to_milliseconds(each.happened_at),
        }
        for each in notices
        if (site := sites.get(each.site_id))
    ]


def _newest(db: Connection) -> FeedPlace:
    return _place(CHAT_FEED.newest(db), newest_notices(db))


def _since(db: Connection, known: FeedPlace) -> AgentChanges:
    chats = CHAT_FEED.since(db, {id: at for id, at in known.items() if id >= 0})
    of_notices = {~id: at for id, at in known.items() if id < 0}
    notices = notices_since(db, of_notices)
    reached = {**of_notices, **{each.site_id: each.revision for each in notices}}
    return AgentChanges(chats, notices, _place(chats.place, reached))


def _place(chats: FeedPlace, notices: FeedPlace) -> FeedPlace:
    """One place of both: that of a site's notices stands under the complement of its id."""
    return {**chats, **{~id: at for id, at in notices.items()}}


AGENT_FEED = FeedSource(CHAT_FEED.name, CHAT_FEED.channel, _newest, _since)
