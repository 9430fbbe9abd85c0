"""The chat's own addresses in the dashboard's process, below /agent/.

    GET  /agent/stream?after=REV         what changes, as server-sent events
    GET  /agent/poll?after=REV           the same, once, after 25 s at the latest
    GET  /agent/conversation?site=&id=   one conversation with all its messages
    POST /agent/send, take, end, read, typing

docs/chat.md says what they carry. They are nobody's interface but the component's.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.agents import find_agent
from core.deadline import DatabaseUnavailable, read_async
from pages.server.access import COOKIE, Endpoint, acting, body_of, reading, refuse
from pages.server.actions import ACTIONS, UNKNOWN, AgentAction, perform
from pages.server.agent_feed import AgentFeed
from pages.server.event_stream import POLL_WAITS, EventStream, after, events
from pages.server.news import News, json_of, now_ms, read_news_since, utc_now
from pages.server.payloads import conversation_payload

NO_CONVERSATION = "This conversation does not exist, or is deleted."


def chat_routes(feed: AgentFeed) -> list[BaseRoute]:
    """The routes for `st.App(routes=...)`."""
    return [
        Route("/agent/stream", reading(_asked(_stream(feed)))),
        Route("/agent/poll", reading(_asked(_poll(feed)))),
        Route("/agent/conversation", reading(_asked(_conversation))),
        *(
            Route(f"/agent/{name}", acting(_asked(_acting(act))), methods=["POST"])
            for name, act in ACTIONS.items()
        ),
    ]


def _asked(endpoint: Endpoint) -> Endpoint:
    """The endpoint, whose questions the database may leave without an answer."""

    async def asked(request: Request) -> Response:
        try:
            return await endpoint(request)
        except DatabaseUnavailable as fault:
            return refuse(503, str(fault))

    return asked


def _stream(feed: AgentFeed) -> Endpoint:
    async def stream(request: Request) -> Response:
        agent_id = await _agent_id(request)
        if agent_id is None:
            return refuse(401, UNKNOWN)
        subscriber = await feed.subscribe(agent_id)
        try:
            first = await read_news_since(after(request))
        except BaseException:
            feed.unsubscribe(subscriber)
            raise
        hello = json_of({"revision": first.revision, "now": now_ms(), "agent": agent_id})
        return EventStream(
            events(subscriber, hello, first), on_end=lambda: feed.unsubscribe(subscriber)
        )

    return stream


def _poll(feed: AgentFeed) -> Endpoint:
    async def poll(request: Request) -> Response:
        agent_id = await _agent_id(request)
        if agent_id is None:
            return refuse(401, UNKNOWN)
        subscriber = await feed.subscribe(agent_id)
        try:
            known = after(request)
            news: News | None = await read_news_since(known)
            if news.revision <= known:
                subscriber.begin(known)
                news = await subscriber.first(POLL_WAITS)
        finally:
            feed.unsubscribe(subscriber)
        return Response(status_code=204) if news is None else _json(news.text)

    return poll


async def _conversation(request: Request) -> Response:
    if await _agent_id(request) is None:
        return refuse(401, UNKNOWN)
    site, name = (request.query_params.get(each, "") for each in ("site", "id"))
    found = await read_async(lambda db: conversation_payload(db, site, name))
    return refuse(404, NO_CONVERSATION) if found is None else _json(json_of(found))


def _acting(act: AgentAction) -> Endpoint:
    async def acting(request: Request) -> Response:
        body = await body_of(request)
        if body is None:
            return refuse(413, "This is too long.")
        key = request.cookies.get(COOKIE, "")
        done = await perform(key, act, body, utc_now())
        return refuse(done.status, done.error) if done.error else _json(json_of(done.told))

    return acting


async def _agent_id(request: Request) -> int | None:
    key = request.cookies.get(COOKIE, "")
    agent = await read_async(lambda db: find_agent(db, key)) if key else None
    return None if agent is None else agent.id


def _json(text: str) -> Response:
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})
