"""What a route answers when the database is away or no stream is left."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from core.deadline import DatabaseUnavailable
from pages.server.access import Endpoint, refuse
from pages.server.feed_streams import TooManyStreams

RETRY_AFTER = 5
"""Seconds until a browser should ask again."""


def or_unavailable(endpoint: Endpoint) -> Endpoint:
    """The endpoint, answering 503 when the database does not answer or all streams are taken."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except (DatabaseUnavailable, TooManyStreams) as fault:
            return refuse(503, str(fault), RETRY_AFTER)

    return answer
