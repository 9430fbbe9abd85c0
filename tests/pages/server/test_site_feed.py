"""The streams of the sites' changes in one process, on both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from core.database import open_database, writing
from core.site_changes import note_changes
from core.tables import Site
from pages.server import feed_streams
from pages.server.feed_streams import MOST_UNREAD
from pages.server.pace import TELL_EVERY
from pages.server.site_feed import ANY_SITE, SiteFeed, SiteSubscriber, read_revisions
from tests.helpers.database_away import database_away
from tests.helpers.event_loop import run
from tests.helpers.seed import make_site
from tests.pages.conftest import use_database

SOON = 15


@pytest.fixture
def engine(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    use_database(database_url, monkeypatch)
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def tea(engine: Engine) -> Site:
    return make_site(engine, key="tea")


def changes(engine: Engine, site: Site) -> None:
    with writing(engine) as db:
        note_changes(db, [site.id or 0])


async def told(subscriber: SiteSubscriber) -> dict[str, int]:
    async with asyncio.timeout(SOON):
        while (news := await anext(subscriber)) is None:
            pass
    return json.loads(news.text)["sites"]


def following(scenario: Callable[[SiteFeed, SiteSubscriber], Coroutine[Any, Any, None]]) -> None:
    """Run the scenario with a feed and one that listens to it."""

    async def follow() -> None:
        feed = SiteFeed()
        try:
            await scenario(feed, await feed.subscribe(None))
        finally:
            await feed.stop()

    run(follow())


def test_change_is_told_to_all_with_the_sites_key_and_the_newest_of_all(
    engine: Engine, tea: Site
) -> None:
    async def scenario(feed: SiteFeed, first: SiteSubscriber) -> None:
        second = await feed.subscribe(None)
        await asyncio.to_thread(changes, engine, tea)
        heard = [await told(each) for each in (first, second)]
        assert heard[0] == heard[1]
        assert heard[0].keys() == {"tea", ANY_SITE}
        assert heard[0]["tea"] == heard[0][ANY_SITE]
        assert heard[0].items() <= json.loads((await read_revisions()).text)["sites"].items()

    following(scenario)


def test_many_changes_are_told_as_one(engine: Engine, tea: Site) -> None:
    async def scenario(_feed: SiteFeed, subscriber: SiteSubscriber) -> None:
        await asyncio.to_thread(changes, engine, tea)
        first = await told(subscriber)
        began = asyncio.get_running_loop().time()
        for _ in range(5):
            await asyncio.to_thread(changes, engine, tea)
        last = await told(subscriber)
        assert asyncio.get_running_loop().time() - began < TELL_EVERY + SOON / 2
        newest = json.loads((await read_revisions()).text)["sites"]
        assert last == newest
        assert last["tea"] >= first["tea"] + 5

    following(scenario)


def test_what_changed_while_the_database_was_away_is_told_afterwards(
    engine: Engine, tea: Site
) -> None:
    async def scenario(feed: SiteFeed, subscriber: SiteSubscriber) -> None:
        with database_away(engine, "site_change"):
            async with asyncio.timeout(SOON):
                while feed.is_following:
                    await asyncio.sleep(0.05)
        await asyncio.to_thread(changes, engine, tea)
        assert "tea" in await told(subscriber)
        async with asyncio.timeout(SOON):
            while not feed.is_following:
                await asyncio.sleep(0.05)

    following(scenario)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_stream_that_does_not_keep_up_is_ended(
    engine: Engine, tea: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_streams, "MOST_UNREAD", 1)

    async def scenario(feed: SiteFeed, slow: SiteSubscriber) -> None:
        keen = await feed.subscribe(None)
        for _ in range(2):
            await asyncio.to_thread(changes, engine, tea)
            await told(keen)
        async with asyncio.timeout(SOON):
            assert len([news async for news in slow if news]) == 1

    assert MOST_UNREAD > 1
    following(scenario)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_database_is_left_alone_when_nobody_listens(
    engine: Engine, tea: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_streams, "CHECK_EVERY", 0.05)

    async def scenario(feed: SiteFeed, subscriber: SiteSubscriber) -> None:
        feed.unsubscribe(subscriber)
        async with asyncio.timeout(SOON):
            while feed.is_following:
                await asyncio.sleep(0.05)
        again = await feed.subscribe(None)
        await asyncio.to_thread(changes, engine, tea)
        assert "tea" in await told(again)

    following(scenario)
