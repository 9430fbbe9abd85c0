"""Hostile calls of the chat: refused with a readable reason, counted, and never a 5xx."""

from __future__ import annotations

from typing import Any

import pytest

from collector.chat.request import ChatAction
from core.settings import RateLimit
from tests.helpers.collector_chats import TAB, VISIT, assert_readable, attend, call_count, open_chat
from tests.helpers.running_collector import view, wait_for

TOKEN = "t" * 32
WITH_ALL = {"n": "visitor0002", "x": "Hi", "e": "ada@shop.example", "g": "good"}
"""What any action needs beside visit and token."""


def body(**fields: Any) -> Any:
    return {"v": 1, "k": "shop1", "c": TOKEN} | fields


DEEP = '{"v":1,"k":"shop1","c":"' + TOKEN + '","d":' + "[" * 3_000 + "]" * 3_000 + "}"
HOSTILE = [
    ("send", b"", 400, "malformed"),
    ("send", b"\xff\xfe", 400, "malformed"),
    ("send", "[]", 400, "malformed"),
    ("send", "null", 400, "malformed"),
    ("typing", DEEP, 400, "malformed"),
    ("typing", "[" * 16_000, 400, "malformed"),
    ("send", body(x="x" * 16_384, n="visitor0001"), 413, "too_large"),
    ("typing", body(v=True), 400, "malformed"),
    ("typing", body(v=2), 400, "malformed"),
    ("typing", body(k=5), 400, "malformed"),
    ("end", body(c=TOKEN, w="agent"), 400, "malformed"),
    ("end", body(c=TOKEN, w=1), 400, "malformed"),
    ("typing", body(k=""), 400, "malformed"),
    ("typing", body(c=""), 400, "malformed"),
    ("typing", body(c=None), 400, "malformed"),
    ("typing", body(c=[TOKEN]), 400, "malformed"),
    ("typing", body(c=TOKEN.upper()), 400, "malformed"),
    ("typing", body(c=TOKEN + "\n"), 400, "malformed"),
    ("typing", body(c=TOKEN + "t"), 400, "malformed"),
    ("typing", body(c="' OR 1=1 --"), 400, "malformed"),
    ("typing", body(), 404, "no_conversation"),
    ("stream", body(), 404, "no_conversation"),
    ("poll", body(), 404, "no_conversation"),
    ("send", body(x="Hi"), 400, "malformed"),
    ("send", body(x="Hi", n="short"), 400, "malformed"),
    ("send", body(x="Hi", n="n" * 41), 400, "malformed"),
    ("send", body(x=5, n="visitor0001"), 400, "malformed"),
    ("send", body(x=None, n="visitor0001"), 400, "malformed"),
    ("send", body(x={"a": 1}, n="visitor0001"), 400, "malformed"),
    ("send", body(x="Hi", n="visitor0001"), 404, "no_conversation"),
    ("email", body(), 400, "malformed"),
    ("email", body(e="ada"), 400, "malformed"),
    ("email", body(e="ada@shop.example\nBcc: all@shop.example"), 400, "malformed"),
    ("email", body(e="ada@shop.example, bob@shop.example"), 400, "malformed"),
    ("email", body(e="Ada <ada@shop.example>"), 400, "malformed"),
    ("email", body(e="ada@@shop.example"), 400, "malformed"),
    ("email", body(e="a" * 242 + "@shop.example"), 400, "malformed"),
    ("email", body(e="a" * 241 + "@shop.example"), 404, "no_conversation"),
    ("email", body(e="o'brien+tea@shop.example"), 404, "no_conversation"),
    ("email", body(e="アダ@例え.テスト"), 404, "no_conversation"),
    ("rate", body(), 400, "malformed"),
    ("rate", body(g="fair"), 400, "malformed"),
    ("rate", body(g="good", x=5), 400, "malformed"),
    ("rate", body(g="good"), 404, "no_conversation"),
    ("read", body(to=True), 400, "malformed"),
    ("read", body(to=-1), 400, "malformed"),
    ("read", body(to="1"), 400, "malformed"),
    ("read", body(to=1.5), 400, "malformed"),
    ("read", body(to=2**31), 400, "malformed"),
    ("read", body(to=2**31 - 1), 404, "no_conversation"),
    ("stream", body(after=True), 400, "malformed"),
    ("stream", body(after=-1), 400, "malformed"),
    ("stream", body(after=2**63), 400, "malformed"),
    ("stream", body(after=2**63 - 1), 404, "no_conversation"),
    ("poll", body(after=10**400), 400, "malformed"),
    ("poll", body(after="0"), 400, "malformed"),
    ("open", body(s=VISIT, t=TAB), 400, "malformed"),
    ("open", body(s=VISIT, n="visitor0001", x="Hi"), 400, "malformed"),
    ("open", body(s="../..", t=TAB, n="visitor0001", x="Hi"), 400, "malformed"),
    ("open", body(s=VISIT, t="'\"<>", n="visitor0001", x="Hi"), 400, "malformed"),
    ("open", body(s=VISIT, t=TAB, r="r" * 41), 400, "malformed"),
    ("open", body(s=VISIT, t=TAB, r=True), 400, "malformed"),
    ("open", body(s=VISIT, t=TAB, r="norule"), 204, "not_now"),
    ("open", body(k="nosite", s=VISIT, t=TAB, n="visitor0001", x="Hi"), 403, "unknown_site"),
    ("typing", body(k="nosite"), 403, "unknown_site"),
]


@pytest.mark.parametrize(("action", "sent", "status", "reason"), HOSTILE)
def test_hostile_call_is_refused_readably_and_counted(shared, action, sent, status, reason):
    before = call_count(shared, reason)
    answer = shared.call_with(action, sent)
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (status, reason)
    assert_readable(answer)
    if status != 204:
        assert set(answer.json()) == {"error"}
        assert "\n" not in answer.json()["error"]
    assert call_count(shared, reason) == before + 1
    wait_for(lambda: shared.drops().get(reason, 0) > 0)


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"Origin": "https://evil.example"}, 403, "origin_not_allowed"),
        ({"Origin": "null"}, 403, "origin_not_allowed"),
        ({"Content-Encoding": "gzip"}, 415, "encoded"),
        ({"Sec-Purpose": "prefetch"}, 204, "prefetch"),
    ],
)
@pytest.mark.parametrize("action", list(ChatAction))
def test_call_passes_the_same_checks_as_a_beacon(shared, action, headers, status, reason):
    sent = body(s=VISIT, t=TAB, **WITH_ALL)
    answer = shared.call_with(action, sent, headers=headers)
    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (status, reason)
    assert_readable(answer)


@pytest.mark.parametrize(
    ("method", "status"), [("OPTIONS", 204), ("GET", 405), ("PUT", 405), ("DELETE", 405)]
)
@pytest.mark.parametrize("action", ["send", "stream", "poll"])
def test_only_post_is_taken(shared, action, method, status):
    answer = shared.call_with(action, body(), method=method)
    assert answer.status_code == status
    assert_readable(answer)


@pytest.mark.parametrize(
    "action", ["", "nothing", "send/", "SEND", "../beacon", "%00", "x" * 5_000]
)
def test_unknown_action_is_not_found(shared, action):
    answer = shared.http.post(f"{shared.url}/v1/conversation/{action}", json=body())
    assert answer.status_code in (204, 400, 404)
    assert_readable(answer)


def test_tracking_that_is_off_refuses_every_call(run_collector, sqlite_url):
    collector = run_collector(sqlite_url)
    token = open_chat(collector)
    collector.change_site("shop1", tracking_enabled=False)
    collector.refresh_sites()
    for action in ChatAction:
        answer = collector.call(action, c=token, s=VISIT, t=TAB, **WITH_ALL)
        assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (403, "tracking_off")


def test_calls_use_up_no_budget_of_the_beacons(run_collector, sqlite_url):
    collector = run_collector(sqlite_url, rate_limit=RateLimit(1, 5))
    token = open_chat(collector)
    answers = [collector.call("typing", c=token) for _ in range(8)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert answers[-1].headers["X-Drop-Reason"] == "rate_limit"
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert collector.post(view(2)).status_code == 200
    assert_readable(answers[-1])


def test_beacons_use_up_no_budget_of_the_calls(run_collector, sqlite_url):
    collector = run_collector(sqlite_url, rate_limit=RateLimit(1, 5))
    attend(collector)
    token = open_chat(collector)
    beacons = [collector.post(view(number)) for number in range(2, 12)]
    assert beacons[-1].status_code == 429
    assert collector.call("send", c=token, n="visitor0002", x="Hi").status_code == 200
