"""The agents' feed after errors that nobody foresaw: it lets its streams go, and begins anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from core.subscribers import Subscribers
from core.tables import Agent
from pages.server import agent_feed, feed_streams
from pages.server.access import COOKIE
from pages.server.agent_feed import AgentFeed, AgentSubscriber, Listener
from pages.server.agent_routes import agent_routes
from pages.server.event_stream import EventStream
from pages.server.gate import Gate
from pages.server.news import read_news_since
from tests.helpers.dashboard_chats import Chat, make_agent, secret_of, visitor_opens
from tests.helpers.event_loop import run
from tests.helpers.seed import make_site
from tests.pages.conftest import Database

SOON = 10


@pytest.fixture
def agent(database: Database) -> Agent:
    return make_agent(database.engine)


@pytest.fixture
def chat(database: Database) -> Chat:
    return visitor_opens(database.engine, make_site(database.engine), "visit1")


def raising_once(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with an error that nobody foresaw at its first call."""
    calls: list[object] = []

    def raise_once(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise RuntimeError("what a visitor wrote")
        return function(*arguments)

    return raise_once


@pytest.mark.parametrize("step", ["read_news", "publish"])
def test_stream_is_let_go_and_nothing_is_lost(
    database: Database,
    agent: Agent,
    chat: Chat,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: str,
) -> None:
    owner: Any = Subscribers if step == "publish" else agent_feed

    async def follow() -> None:
        feed = AgentFeed()
        known = await read_news_since(0)
        first = await subscribe(feed, agent, known.revision)
        monkeypatch.setattr(owner, step, raising_once(getattr(owner, step)))
        await asyncio.to_thread(chat.says, "One")
        async with asyncio.timeout(SOON):
            assert [news async for news in first] == []
        feed.unsubscribe(first)
        again = await subscribe(feed, agent, known.revision)
        assert '"One"' in await next_text(again)  # what could not be told is told again
        await asyncio.to_thread(chat.says, "Two")
        assert '"Two"' in await next_text(again)
        await feed.stop()

    run(follow())
    assert "chat_feed_fails fault=RuntimeError at=" in caplog.text
    assert "what a visitor wrote" not in caplog.text


def test_process_holds_so_many_streams_and_no_more(
    database: Database, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_streams, "MOST_STREAMS", 2)

    async def ask() -> list[httpx.Response]:
        feed = AgentFeed()
        dashboard = httpx.ASGITransport(Gate(Starlette(routes=agent_routes(feed))))
        cookies = {COOKIE: secret_of(agent)}
        async with httpx.AsyncClient(
            transport=dashboard, base_url="http://127.0.0.1", cookies=cookies
        ) as browser:
            held = [await subscribe(feed, agent, 0) for _ in range(2)]
            refused = [await browser.get(f"/agent/{name}") for name in ("stream", "poll")]
            feed.unsubscribe(held[0])
            answered = await browser.get("/agent/poll")
        await feed.stop()
        return [*refused, answered]

    visitor_opens(database.engine, make_site(database.engine), "visit1")
    stream, poll, answered = run(ask())
    for refused in (stream, poll):
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert "streams, which is the most" in refused.json()["error"]
    assert answered.status_code == 200


def test_stream_that_fails_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def events():
        yield "data: 1\n\n"
        raise ZeroDivisionError("what a visitor wrote")

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(SOON)
        return {"type": "http.disconnect"}

    async def send(_message: object) -> None:
        pass

    ended: list[bool] = []
    run(EventStream(events(), lambda: ended.append(True))({}, receive, send))
    assert ended == [True]
    assert "stream_failed fault=ZeroDivisionError at=test_agent_feed.py" in caplog.text


async def subscribe(feed: AgentFeed, agent: Agent, revision: int) -> AgentSubscriber:
    assert agent.id is not None
    subscriber = await feed.subscribe(Listener(agent.id))
    subscriber.begin(revision)
    return subscriber


async def next_text(subscriber: AgentSubscriber) -> str:
    async with asyncio.timeout(SOON):
        while (news := await anext(subscriber)) is None:
            pass
    return news.text
