"""What has changed in the chats, as the agents' streams send it: made once for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from core.chat.queries import Changes
from core.deadline import read, read_async
from core.moment import to_milliseconds, utc_now
from pages.server.payloads import news_of, news_since


@dataclass(frozen=True)
class News:
    """News as JSON on one line, and the newest revision in them."""

    revision: int
    text: str


def read_news(changes: Changes) -> News:
    """The changes as news; called on the feed's thread. Raises DatabaseUnavailable."""
    payload = read(lambda db: news_of(db, changes, now_ms()))
    return News(changes.revision, json_of(payload))


async def read_news_since(revision: int) -> News:
    """What has changed since the revision, or all that is open. Raises DatabaseUnavailable."""
    payload = await read_async(lambda db: news_since(db, revision, now_ms()))
    return News(payload["id"], json_of(payload))


def json_of(value: Any) -> str:
    """The value as JSON on one line."""
    return msgspec.json.encode(value).decode()


def now_ms() -> int:
    """The present moment in milliseconds: browsers compare their clock with it."""
    return to_milliseconds(utc_now())
