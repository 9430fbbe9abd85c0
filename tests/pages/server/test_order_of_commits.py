"""Agents hear of every change, also when the changes of two sites are committed in another order than they
were numbered. On Postgres sites do not wait for each other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from core.chat.messages import send_as_visitor
from core.database import open_database, writing
from core.tables import Site
from pages.server.agent_feed import AgentFeed, AgentSubscriber, Listener
from pages.server.news import News
from tests.helpers.dashboard_chats import Chat, client_id, now, visitor_opens
from tests.helpers.event_loop import run
from tests.helpers.seed import make_site
from tests.pages.conftest import use_database

SOON = 15


@pytest.fixture
def engine(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    use_database(postgres_url, monkeypatch)
    engine = open_database(postgres_url)
    yield engine
    engine.dispose()


@pytest.fixture
def tea(engine: Engine) -> Site:
    return make_site(engine, key="tea", name="Tea shop")


@pytest.fixture
def pots(engine: Engine) -> Site:
    return make_site(engine, key="pots", name="Pot shop")


@contextmanager
def says_slowly(engine: Engine, chat: Chat, text: str) -> Iterator[None]:
    """The visitor's message, which has its number before the context and is committed after it."""
    with writing(engine) as db:
        send_as_visitor(db, chat.row, client_id=client_id(), text=text, now=now())
        yield


def texts(news: News) -> list[str]:
    return [message["text"] for message in json.loads(news.text)["messages"]]


async def next_news(subscriber: AgentSubscriber) -> News:
    async with asyncio.timeout(SOON):
        while (news := await anext(subscriber)) is None:
            pass
    return news


def test_change_that_is_committed_last_with_the_lower_number_is_told(
    engine: Engine, tea: Site, pots: Site
) -> None:
    in_tea, in_pots = visitor_opens(engine, tea, "visit1"), visitor_opens(engine, pots, "visit2")

    async def follow() -> None:
        feed = AgentFeed()
        listener, of_tea = [
            await feed.subscribe(Listener(9, site_ids))
            for site_ids in (None, frozenset({tea.id or 0}))
        ]
        with says_slowly(engine, in_tea, "first, late"):
            await asyncio.to_thread(in_pots.says, "second, soon")
            soon = await next_news(listener)
            assert texts(soon) == ["second, soon"]
            met = await feed.read_since(0, None)
        for each in (listener, of_tea):
            assert texts(await next_news(each)) == ["first, late"]
        # Whoever comes again with what it had before that misses nothing, nor does a poll wait for more.
        for known in (soon.revision, met.revision):
            again = await feed.read_since(known, None)
            assert "first, late" in texts(again)
            assert again.revision > known
        await feed.stop()

    run(follow())
    assert in_tea.row.revision < in_pots.row.revision


def test_who_comes_while_a_change_is_not_committed_hears_of_it(
    engine: Engine, tea: Site, pots: Site
) -> None:
    in_tea, in_pots = visitor_opens(engine, tea, "visit1"), visitor_opens(engine, pots, "visit2")

    async def follow() -> None:
        feed = AgentFeed()
        with says_slowly(engine, in_tea, "first, late"):
            await asyncio.to_thread(in_pots.says, "second, soon")
            listener = await feed.subscribe(Listener(9))
            feed.begin(listener, (await feed.read_since(0, None)).revision)
        assert "first, late" in texts(await next_news(listener))
        await feed.stop()

    run(follow())
