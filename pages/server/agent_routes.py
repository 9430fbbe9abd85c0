"""The chat's own addresses in the dashboard's process, below /agent/.

    GET  /agent/stream?after=REV         what changes, as server-sent events
    GET  /agent/poll?after=REV           the same, once, after 25 s at the latest
    GET  /agent/conversation?site=&id=   one conversation with all its messages
    POST /agent/send, take, end, read, typing

docs/chat.md describes them. Only the chat's component uses them: they may change with it.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.agents import find_agent
from core.deadline import DatabaseUnavailable, read_async
from core.moment import utc_now
from pages.server.access import COOKIE, Endpoint, guarded_get, guarded_post, refuse
from pages.server.actions import ACTIONS, UNKNOWN, AgentAction, perform
from pages.server.agent_feed import MOST_STREAMS, AgentFeed, TooManyStreams
from pages.server.event_stream import EventStream, events
from pages.server.news import News, json_of, now_ms, read_news_since
from pages.server.payloads import conversation_payload

LONGEST_BODY = 16_384
RETRY_AFTER = 5
"""Seconds until a browser should ask again."""

FULL = f"The dashboard holds {MOST_STREAMS} streams, which is the most: close a browser that needs none."
NO_CONVERSATION = "This conversation does not exist, or is deleted."


def agent_routes(feed: AgentFeed) -> list[BaseRoute]:
    """The routes for `st.App(routes=...)`."""
    return [
        _get("stream", _stream(feed)),
        _get("poll", _poll(feed)),
        _get("conversation", _conversation),
        *(_post(name, _performing(action)) for name, action in ACTIONS.items()),
    ]


def _get(name: str, endpoint: Endpoint) -> Route:
    return Route(f"/agent/{name}", guarded_get(_or_unavailable(endpoint)))


def _post(name: str, endpoint: Endpoint) -> Route:
    return Route(f"/agent/{name}", guarded_post(_or_unavailable(endpoint)), methods=["POST"])


def _or_unavailable(endpoint: Endpoint) -> Endpoint:
    """The endpoint, answering 503 when the database does not answer or all streams are taken."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except DatabaseUnavailable as fault:
            return refuse(503, str(fault), RETRY_AFTER)
        except TooManyStreams:
            return refuse(503, FULL, RETRY_AFTER)

    return answer


def _stream(feed: AgentFeed) -> Endpoint:
    async def stream(request: Request) -> Response:
        agent_id = await _agent_id(request)
        if agent_id is None:
            return refuse(401, UNKNOWN)
        subscriber = await feed.subscribe(agent_id)
        try:
            first = await read_news_since(_known_revision(request))
        except BaseException:
            feed.unsubscribe(subscriber)
            raise
        hello = json_of(
            {
                "revision": first.revision,
                "now": now_ms(),
                "agent": agent_id,
                "following": feed.is_following,
            }
        )
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
            known = _known_revision(request)
            news: News | None = await read_news_since(known)
            if news.revision <= known:
                subscriber.begin(known)
                news = await subscriber.first()
        finally:
            feed.unsubscribe(subscriber)
        return Response(status_code=204) if news is None else _json(news.text)

    return poll


async def _conversation(request: Request) -> Response:
    if await _agent_id(request) is None:
        return refuse(401, UNKNOWN)
    site_key, conversation_id = (request.query_params.get(name, "") for name in ("site", "id"))
    found = await read_async(lambda db: conversation_payload(db, site_key, conversation_id))
    return refuse(404, NO_CONVERSATION) if found is None else _json(json_of(found))


def _performing(action: AgentAction) -> Endpoint:
    async def post(request: Request) -> Response:
        body = await _read_body(request)
        if body is None:
            return refuse(413, "This is too long.")
        result = await perform(request.cookies.get(COOKIE, ""), action, body, utc_now())
        return (
            refuse(result.status, result.error) if result.error else _json(json_of(result.changes))
        )

    return post


async def _agent_id(request: Request) -> int | None:
    key = request.cookies.get(COOKIE, "")
    agent = await read_async(lambda db: find_agent(db, key)) if key else None
    return None if agent is None else agent.id


def _known_revision(request: Request) -> int:
    """The newest revision that the browser has; 0 when it has none."""
    text = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 17 else 0


async def _read_body(request: Request) -> bytes | None:
    """The request's body; None when it is longer than LONGEST_BODY."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            return None
    return body


def _json(text: str) -> Response:
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})
