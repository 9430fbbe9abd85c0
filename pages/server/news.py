"""What has changed, as streams send it: made once for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from core.accounts.identity import SiteIds
from core.database import Connection
from core.deadline import read, read_async
from core.moment import to_milliseconds, utc_now
from core.notices.queries import notices_since
from pages.server.agent_changes import AgentChanges, notice_payloads, notices_seen
from pages.server.payloads import COMMITTED_WITHIN, Payload, news_of, news_since, seen_of


@dataclass(frozen=True)
class News:
    """News as JSON on one line, and a number that is higher than that of the news before them."""

    revision: int
    text: str


def read_news(changes: AgentChanges, limits: Iterable[SiteIds]) -> dict[SiteIds, News]:
    """The changes in the chats, and the notices, as news for who sees these sites; nothing for whom there are none.

    Called on the feed's thread. Raises DatabaseUnavailable.
    """
    seen = {limit: _seen_of(changes, limit) for limit in limits}
    told = {limit: each for limit, each in seen.items() if _has_news(each)}
    payloads = read(lambda db: {limit: _payload(db, each) for limit, each in told.items()})
    return {limit: News(payload["id"], json_of(payload)) for limit, payload in payloads.items()}


async def read_news_since(revision: int, site_ids: SiteIds = None, told: int = 0) -> News:
    """What has changed in the chats of these sites since the revision, or all that is open.

    Notices are missed only by who has been there: they come with those of the minutes before, as what two sites
    commit has no order; a browser knows by their ids what it has told. told: the number of the newest news that this process has sent. Raises DatabaseUnavailable.
    """

    def missed(db: Connection) -> Payload:
        news = news_since(db, revision, now_ms(), site_ids, told)
        is_whole = news.get("whole", False)
        notices = [] if is_whole else notices_since(db, revision - COMMITTED_WITHIN)
        return {**news, "notices": notice_payloads(db, notices_seen(notices, site_ids))}

    payload = await read_async(missed)
    return News(payload["id"], json_of(payload))


def _seen_of(changes: AgentChanges, limit: SiteIds) -> AgentChanges:
    notices = notices_seen(changes.notices, limit)
    return changes._replace(chats=seen_of(changes.chats, limit), notices=notices)


def _has_news(changes: AgentChanges) -> bool:
    return bool(changes.chats.conversations or changes.chats.messages or changes.notices)


def _payload(db: Connection, changes: AgentChanges) -> Payload:
    news = news_of(db, changes.chats, now_ms())
    return {**news, "notices": notice_payloads(db, changes.notices)}


def json_of(value: Any) -> str:
    """The value as JSON on one line."""
    return msgspec.json.encode(value).decode()


def now_ms() -> int:
    """The present moment in milliseconds: browsers compare their clock with it."""
    return to_milliseconds(utc_now())
