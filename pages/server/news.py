"""What a stream says at a time, made once for all who listen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from core.agents import note_seen
from core.chat.queries import Changes
from core.database import Connection
from core.deadline import read, read_async, write_async
from core.moment import to_milliseconds
from pages.server.payloads import news_of, news_since


@dataclass(frozen=True)
class News:
    """News as JSON on one line, and the newest revision in them."""

    revision: int
    text: str


def told_of(changes: Changes) -> News:
    """The changes; on the feed's thread. Raises DatabaseUnavailable."""
    news = read(lambda db: news_of(db, changes, now_ms()))
    return News(changes.revision, json_of(news))


async def told_since(revision: int) -> News:
    """What has changed since the revision, or what is open. Raises DatabaseUnavailable."""
    news = await read_async(lambda db: news_since(db, revision, now_ms()))
    return News(news["id"], json_of(news))


async def note_agents(agents: Iterable[int]) -> None:
    """These agents have the dashboard open. Raises DatabaseUnavailable."""
    now = utc_now()

    def note(db: Connection) -> None:
        for agent_id in agents:
            note_seen(db, agent_id, now)

    await write_async(note)


def json_of(value: Any) -> str:
    """The value as JSON on one line."""
    return msgspec.json.encode(value).decode()


def now_ms() -> int:
    """The moment in milliseconds: browsers compare their clock with it."""
    return to_milliseconds(utc_now())


def utc_now() -> datetime:
    """The moment; the routes' one look at the clock."""
    return datetime.now(UTC)
