"""What a form of the sign-in pages has posted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from pages.server.access import Endpoint, refuse
from pages.server.request_body import read_body

LONGEST_FORM = 16_384
"""Bytes."""

_KIND = "application/x-www-form-urlencoded"
_MOST_FIELDS = 20

FormEndpoint = Callable[[Request, Mapping[str, str]], Awaitable[Response]]


def form_post(endpoint: FormEndpoint) -> Endpoint:
    """The endpoint, called with the fields of a form. That a page of the dashboard's own sent it is
    checked before any route."""

    async def post(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
            return refuse(415, f"Send {_KIND}.")
        body = await read_body(request, LONGEST_FORM)
        if body is None:
            return refuse(413, "This is too long.")
        return await endpoint(request, _fields(body))

    return post


def _fields(body: bytes) -> Mapping[str, str]:
    """The fields by name; the first of those with the same one. Too many: none."""
    try:
        pairs = parse_qsl(
            body.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        return {}
    return dict(reversed(pairs))
