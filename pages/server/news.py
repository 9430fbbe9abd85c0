"""What has changed, as streams send it: made once for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from core.accounts.identity import SiteIds
from core.chat.queries import Changes
from core.deadline import read, read_async
from core.moment import to_milliseconds, utc_now
from pages.server.payloads import news_of, news_since, seen_of


@dataclass(frozen=True)
class News:
    """News as JSON on one line, and a number that is higher than that of the news before them."""

    revision: int
    text: str


def read_news(changes: Changes, limits: Iterable[SiteIds]) -> dict[SiteIds, News]:
    """The changes in the chats as news for who sees these sites; nothing for whom there are none.

    Called on the feed's thread. Raises DatabaseUnavailable.
    """
    seen = {limit: seen_of(changes, limit) for limit in limits}
    told = {limit: each for limit, each in seen.items() if each.conversations or each.messages}
    payloads = read(lambda db: {limit: news_of(db, each, now_ms()) for limit, each in told.items()})
    return {limit: News(payload["id"], json_of(payload)) for limit, payload in payloads.items()}


async def read_news_since(revision: int, site_ids: SiteIds = None, told: int = 0) -> News:
    """What has changed in the chats of these sites since the revision, or all that is open.

    told: the number of the newest news that this process has sent. Raises DatabaseUnavailable.
    """
    payload = await read_async(lambda db: news_since(db, revision, now_ms(), site_ids, told))
    return News(payload["id"], json_of(payload))


def json_of(value: Any) -> str:
    """The value as JSON on one line."""
    return msgspec.json.encode(value).decode()


def now_ms() -> int:
    """The present moment in milliseconds: browsers compare their clock with it."""
    return to_milliseconds(utc_now())
