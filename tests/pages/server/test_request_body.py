"""The body of a request: whole, too long, or broken off."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from pages.server.request_body import read_body
from tests.helpers.event_loop import run

GONE = {"type": "http.disconnect"}


def part(body: bytes, *, is_last: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": not is_last}


@pytest.mark.parametrize(
    ("messages", "body"),
    [
        ([part(b"ab"), part(b"cd", is_last=True)], b"abcd"),
        ([part(b"abcd"), part(b"e", is_last=True)], None),
        ([part(b"ab"), GONE], None),
        ([GONE], None),
    ],
)
def test_body_is_whole_and_short_enough_or_none(
    messages: list[dict[str, Any]], body: bytes | None
) -> None:
    coming = iter(messages)

    async def receive() -> Message:
        return next(coming)

    assert run(read_body(Request({"type": "http"}, receive), 4)) == body
