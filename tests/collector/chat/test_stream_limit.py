"""Streams and polls are held up to a number, of one address and in all; who gets none polls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from tests.helpers.collector_chats import (
    assert_readable,
    attend,
    call_count,
    open_chat,
    open_stream,
    say,
)
from tests.helpers.running_collector import CHROME, ORIGIN, wait_for

PROXY = (ip_network("127.0.0.1/32"),)


@pytest.mark.parametrize(
    ("settings", "status", "reason"),
    [
        ({"streams_per_address": 2}, 429, "too_many_streams"),
        ({"streams": 2}, 503, "streams_full"),
    ],
)
def test_stream_beyond_the_limit_is_refused_and_counted(
    run_collector, sqlite_url, settings, status, reason
):
    collector = run_collector(sqlite_url, **settings)
    attend(collector)
    token = open_chat(collector)
    with open_stream(collector, token) as first:
        with open_stream(collector, token) as second:
            assert (first.status, second.status) == (200, 200)
            refused = [collector.call("stream", c=token) for _ in range(5)][-1]
            assert (refused.status_code, refused.headers["X-Drop-Reason"]) == (status, reason)
            assert int(refused.headers["Retry-After"]) > 0
            assert refused.headers["Access-Control-Allow-Origin"] == "*"
            assert refused.json()["error"]
            assert call_count(collector, reason) == 5
            wait_for(lambda: collector.drops().get(reason) == 5)
        wait_for(lambda: _opens(collector, token))


def test_whoever_gets_no_stream_polls_for_what_is_new(run_collector, sqlite_url):
    collector = run_collector(sqlite_url, streams_per_address=1)
    agent = attend(collector)
    token = open_chat(collector)
    with open_stream(collector, token) as held:
        cursor = held.next()["id"]
        refused = collector.call("poll", c=token, after=cursor)
        assert (refused.status_code, refused.headers["X-Drop-Reason"]) == (429, "too_many_streams")
        assert_readable(refused)
        say(collector, agent, token, "Good day")
        assert held.next()["m"][0]["x"] == "Good day"
        news = collector.call("poll", c=token, after=cursor)
        assert [m["x"] for m in news.json()["m"]] == ["Good day"]
        collector.call("end", c=token)
        assert held.next()["state"] == "ended"
        assert collector.call("poll", c=token, after=news.json()["id"]).json()["state"] == "ended"


def test_addresses_are_counted_as_those_of_the_rate_limit(run_collector, sqlite_url):
    """Of IPv6, 64 bits are one visitor."""
    collector = run_collector(sqlite_url, streams_per_address=1, trusted_proxies=PROXY)
    attend(collector)
    token = open_chat(collector)
    with _stream_from("2001:db8::1", collector, token) as first:
        assert first == 200
        with (
            _stream_from("2001:db8::ffff:2", collector, token) as neighbour,
            _stream_from("2001:db8:0:1::1", collector, token) as stranger,
            _stream_from("198.51.100.7", collector, token) as other,
        ):
            assert (neighbour, stranger, other) == (429, 200, 200)


def test_nothing_is_remembered_of_who_has_left(run_collector, sqlite_url):
    collector = run_collector(sqlite_url, trusted_proxies=PROXY)
    attend(collector)
    token = open_chat(collector)
    limit = collector.app.conversation.streams.limit
    for number in range(20):
        with _stream_from(f"198.51.100.{number}", collector, token) as status:
            assert status == 200
    assert collector.call("stream", c="0" * 32).status_code == 404
    wait_for(lambda: not limit._counts.held and not limit._counts.total)


@contextmanager
def _stream_from(address: str, collector: Any, token: str) -> Iterator[int]:
    """The status of a stream that a visitor with this address opens behind the proxy."""
    body = json.dumps({"v": 1, "k": "shop1", "c": token})
    headers = {"Origin": ORIGIN, "User-Agent": CHROME, "X-Forwarded-For": address}
    url = f"{collector.url}/v1/conversation/stream"
    with httpx.stream("POST", url, content=body, headers=headers, timeout=10) as answer:
        yield answer.status_code


def _opens(collector: Any, token: str) -> bool:
    with open_stream(collector, token) as reader:
        return reader.status == 200
