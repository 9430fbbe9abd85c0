"""The chat's own addresses in the dashboard's process, below /agent/.

    GET  /agent/stream?after=REV         what changes, as server-sent events
    GET  /agent/poll?after=REV           the same, once, after 25 s at the latest
    GET  /agent/conversation?site=&id=   one conversation with all its messages
    GET  /agent/colleagues?site=         who may be given a conversation of the site
    POST /agent/here                     the dashboard is open: the agent is there
    POST /agent/send, mail, mail-again, take, give, end, block, read, typing, note, done

docs/chat.md describes them. Only the chat's component uses them: they may change with it.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.accounts.identity import Role
from core.deadline import read_async
from core.moment import utc_now
from pages.server.access import Endpoint, guarded_get, guarded_post, refuse
from pages.server.actions import ACTIONS, UNKNOWN, AgentAction, perform
from pages.server.agent_feed import AgentFeed, Listener, mark_here
from pages.server.base_path import below_base
from pages.server.caller import caller_of
from pages.server.event_stream import EventStream, events
from pages.server.news import News, json_of, now_ms
from pages.server.payloads import colleagues_payload, conversation_payload
from pages.server.request_body import read_body
from pages.server.unavailable import or_unavailable

LONGEST_BODY = 16_384
NO_CONVERSATION = "This chat is not known, or it is deleted by now."


def agent_routes(feed: AgentFeed) -> list[BaseRoute]:
    """The routes for `st.App(routes=...)`."""
    return [
        _get("stream", _stream(feed)),
        _get("poll", _poll(feed)),
        _get("conversation", _conversation),
        _get("colleagues", _colleagues),
        _post("here", _here),
        *(_post(name, _performing(action)) for name, action in ACTIONS.items()),
    ]


def _get(name: str, endpoint: Endpoint) -> Route:
    return Route(below_base(f"/agent/{name}"), guarded_get(or_unavailable(endpoint), Role.AGENT))


def _post(name: str, endpoint: Endpoint) -> Route:
    guarded = guarded_post(or_unavailable(endpoint), Role.AGENT)
    return Route(below_base(f"/agent/{name}"), guarded, methods=["POST"])


def _stream(feed: AgentFeed) -> Endpoint:
    async def stream(request: Request) -> Response:
        listener = await _listener(request)
        if listener is None:
            return refuse(401, UNKNOWN)
        subscriber = await feed.subscribe(listener)
        try:
            first = await feed.read_since(_known_revision(request), listener.site_ids)
        except BaseException:
            feed.unsubscribe(subscriber)
            raise
        feed.begin(subscriber, first.revision)
        hello = json_of(
            {
                "revision": first.revision,
                "now": now_ms(),
                "agent": listener.agent_id,
                "following": feed.is_following,
            }
        )
        return EventStream(
            events(subscriber, hello, first), on_end=lambda: feed.unsubscribe(subscriber)
        )

    return stream


def _poll(feed: AgentFeed) -> Endpoint:
    async def poll(request: Request) -> Response:
        listener = await _listener(request)
        if listener is None:
            return refuse(401, UNKNOWN)
        subscriber = await feed.subscribe(listener)
        try:
            known = _known_revision(request)
            news: News | None = await feed.read_since(known, listener.site_ids)
            if news.revision <= known:
                feed.begin(subscriber, known)
                news = await subscriber.first()
        finally:
            feed.unsubscribe(subscriber)
        return Response(status_code=204) if news is None else _json(news.text)

    return poll


async def _conversation(request: Request) -> Response:
    listener = await _listener(request)
    if listener is None:
        return refuse(401, UNKNOWN)
    site_key, conversation_id = (request.query_params.get(name, "") for name in ("site", "id"))
    found = await read_async(
        lambda db: conversation_payload(db, site_key, conversation_id, listener.site_ids)
    )
    return refuse(404, NO_CONVERSATION) if found is None else _json(json_of(found))


async def _colleagues(request: Request) -> Response:
    listener = await _listener(request)
    if listener is None:
        return refuse(401, UNKNOWN)
    site_key = request.query_params.get("site", "")
    found = await read_async(
        lambda db: colleagues_payload(db, site_key, listener.agent_id, utc_now(), listener.site_ids)
    )
    return _json(json_of(found))


async def _here(request: Request) -> Response:
    """What is open may be the stream of a computer that sleeps: only a browser that calls is there."""
    listener = await _listener(request)
    if listener is None:
        return refuse(401, UNKNOWN)
    await mark_here(listener.agent_id)
    return Response(status_code=204)


def _performing(action: AgentAction) -> Endpoint:
    async def post(request: Request) -> Response:
        body = await read_body(request, LONGEST_BODY)
        if body is None:
            return refuse(413, "This is too long.")
        result = await perform(caller_of(request), action, body, utc_now())
        return (
            refuse(result.status, result.error) if result.error else _json(json_of(result.changes))
        )

    return post


async def _listener(request: Request) -> Listener | None:
    """The agent, and what they may hear of; None for a browser without an agent."""
    caller = caller_of(request)
    agent_id = await read_async(caller.agent_id)
    return None if agent_id is None else Listener(agent_id, caller.identity.site_ids)


def _known_revision(request: Request) -> int:
    """The newest revision that the browser has; 0 when it has none."""
    text = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 17 else 0


def _json(text: str) -> Response:
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})
