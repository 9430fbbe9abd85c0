"""A response says the same whether it is sent as bytes or as the messages of ASGI."""

from __future__ import annotations

from http.client import HTTPResponse
from io import BytesIO
from typing import Any

import pytest

from collector.beacon.wire import AcceptedBody
from collector.http import responses
from collector.http.default_lines import default_lines
from collector.http.responses import Response
from core.reasons import Reason

RESPONSES = {
    "ok": responses.ok(AcceptedBody("a1b2c3d4e5f6g7h8", 20)),
    "preflight": responses.PREFLIGHT,
    "not allowed": responses.NOT_ALLOWED,
    "malformed": responses.malformed("Expected `int` - at `$.v`"),
    "too many": responses.too_many(Reason.RATE_LIMIT, 7),
    "nothing new": responses.nothing_new(),
    **{reason.value: responses.refused(reason) for reason in Reason},
}


class ReceivedBytes:
    """A socket that has received these bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self._data)


def read(data: bytes) -> HTTPResponse:
    """As a client reads it."""
    sent: Any = ReceivedBytes(data)
    response = HTTPResponse(sent)
    response.begin()
    return response


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES.keys())
def test_bytes_say_what_the_messages_say(response: Response):
    start, body = response.messages
    found = read(response.as_sent(b"date: today\r\n", is_last=False))

    assert found.status == start["status"]
    assert sorted(found.getheaders()) == sorted(
        [(name.decode(), value.decode()) for name, value in start["headers"]] + [("date", "today")]
    )
    assert found.read() == body["body"]


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES.keys())
def test_last_one_says_once_that_the_connection_ends(response: Response):
    found = read(response.as_sent(b"", is_last=True))

    assert found.headers.get_all("connection") == ["close"]


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES.keys())
def test_without_its_body_it_says_the_same_length(response: Response):
    whole = response.as_sent(b"", is_last=False)
    head = response.as_sent(b"", is_last=False, has_body=False)

    assert whole == head + response.body


def test_default_lines_follow_the_list():
    yesterday, today = [(b"date", b"1")], [(b"date", b"2"), (b"server", b"x")]

    assert default_lines(yesterday) == b"date: 1\r\n"
    assert default_lines(today) == b"date: 2\r\nserver: x\r\n"
    assert default_lines(yesterday) == b"date: 1\r\n"
