"""404, 405 and 500 of the paths that have no response of their own."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from collector.http.assets import OPEN
from collector.http.responses import CORS


async def send_refusal(request: Request, fault: Exception) -> Response:
    """The status in words. Below /v1/ and /embed/ any page may read it, like their other responses."""
    status, headers = 500, {}
    if isinstance(fault, HTTPException):
        status, headers = fault.status_code, fault.headers or {}
    phrase = HTTPStatus(status).phrase
    return PlainTextResponse(f"{phrase}\n", status, {**headers, **_open_headers(request.url.path)})


def _open_headers(path: str) -> dict[str, str]:
    if path.startswith("/v1/"):
        return CORS
    return OPEN if path.startswith("/embed/") else {}
