"""Conversations as they travel: streams and polls."""

from __future__ import annotations

import threading
from time import monotonic

import httpx
import pytest

from tests.collector.chatting import attend, listening, open_chat, say, send_invitation
from tests.running_collector import view, wait_for


def test_messages_travel_both_ways_over_a_stream(collector):
    agent = attend(collector)
    token = open_chat(collector, "Hello")
    with listening(collector, token) as reader:
        first = reader.next()
        assert first["state"] == "open"
        assert [(m["n"], m["a"], m["x"], m["i"], m["f"]) for m in first["m"]] == [
            (1, 0, "Hello", "visitor0001", "")
        ]
        say(collector, agent, token, "Good day")
        told = reader.next()
        assert told["from"] == "Ann"
        assert [(m["n"], m["a"], m["x"], m["f"]) for m in told["m"]] == [(2, 1, "Good day", "Ann")]
        assert collector.call("send", c=token, n="visitor0002", x="Thanks").json()["number"] == 3
        assert [(m["n"], m["i"]) for m in reader.messages(1)] == [(3, "visitor0002")]
