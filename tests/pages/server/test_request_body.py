"""The body of a request: whole, too long, broken off, or never at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from pages.server import request_body
from pages.server.request_body import BoundedBodies, end_bodies, read_body
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


async def read_it(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that needs the whole body."""
    body = await read_body(Request(scope, receive), 100)
    await Response(body if body is not None else "no body")(scope, receive, send)


def answers_to(
    messages: Sequence[Message], app: Any = read_it, meanwhile: Callable[[], None] = lambda: None
) -> list[Message]:
    """What is sent to whoever sends these messages, and then nothing more."""

    async def ask() -> list[Message]:
        coming, sent = list(messages), list[Message]()

        async def receive() -> Message:
            if not coming:
                meanwhile()
                await asyncio.Event().wait()
            return coming.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        await BoundedBodies(app)({"type": "http", "method": "POST", "headers": []}, receive, send)
        return sent

    return run(ask())


def status_and_connection(sent: Sequence[Message]) -> tuple[int, bytes | None]:
    """Those of the only answer."""
    [start] = [each for each in sent if each["type"] == "http.response.start"]
    return start["status"], dict(start["headers"]).get(b"connection")


def test_body_that_comes_in_time_is_answered_as_ever() -> None:
    sent = answers_to([part(b"ab"), part(b"cd", is_last=True)])
    assert status_and_connection(sent) == (200, None)
    assert sent[-1]["body"] == b"abcd"


@pytest.mark.parametrize("messages", [[], [part(b"ab")]])
def test_body_that_takes_too_long_is_answered_once_and_its_connection_closed(
    messages: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_body, "WITHIN", 0.1)
    assert status_and_connection(answers_to(messages)) == (408, b"close")


def test_body_that_comes_byte_by_byte_has_no_longer_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "WITHIN", 0.2)

    async def drip(scope: Scope, receive: Receive, send: Send) -> None:
        async def slowly() -> Message:
            await asyncio.sleep(0.02)
            return part(b"a")

        await BoundedBodies(read_longest)(scope, slowly, send)

    async def read_longest(scope: Scope, receive: Receive, send: Send) -> None:
        assert await read_body(Request(scope, receive), 10**9) is None

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    run(drip({"type": "http", "method": "POST", "headers": []}, receive, send))
    assert status_and_connection(sent) == (408, b"close")


def test_who_is_not_at_the_end_when_the_dashboard_stops_is_told_so() -> None:
    def stop() -> None:
        asyncio.get_running_loop().call_soon(end_bodies)

    assert status_and_connection(answers_to([part(b"ab")], meanwhile=stop)) == (503, b"close")


def test_stream_after_a_whole_body_is_not_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "WITHIN", 0.1)

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(receive(), 0.5)
        end_bodies()
        await Response("told")(scope, receive, send)

    sent = answers_to([part(b"", is_last=True)], stream)
    assert status_and_connection(sent) == (200, None)


def test_answer_that_has_begun_is_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "WITHIN", 0.1)

    async def answer_first(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        assert await read_body(Request(scope, receive), 100) is None

    assert status_and_connection(answers_to([part(b"ab")], answer_first)) == (200, None)
