"""The body of a request, which anybody may send."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request


async def read_body(request: Request, longest: int) -> bytes | None:
    """The body; None when it has more bytes than this, or when its sender has gone away before its end."""
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > longest:
                return None
    except ClientDisconnect:
        return None
    return body
