"""What the beacon route answers, and that every answer may be read by any page."""

from __future__ import annotations

import json
import socket
from ipaddress import ip_network

import pytest
from sqlalchemy import make_url

from core.settings import RateLimit
from tests.helpers.running_collector import CHROME, MINUTE, ORIGIN, view, wait_for

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
ID = "a1b2c3d4e5f6g7h8"


def padded(size: int) -> bytes:
    """A good beacon of exactly this many bytes."""
    body = {"v": 1, "k": "shop1", "s": ID, "t": "tab1", "b": [view()], "x": ""}
    body["x"] = "x" * (size - len(json.dumps(body).encode()))
    return json.dumps(body).encode()


def test_accepted_is_200_with_visit_interval_and_wish_for_the_zone(collector):
    answer = collector.post(view())

    assert answer.status_code == 200
    assert answer.json() == {"s": ID, "i": 20, "z": 1, "l": 1}
    assert answer.headers["content-type"] == "application/json"


def test_zone_is_not_requested_again_once_it_is_known(collector):
    answer = collector.post(view(z="Europe/Berlin"))

    assert answer.json() == {"s": ID, "i": 20, "l": 1}
    assert collector.row("SELECT time_zone, country FROM visit") == ("Europe/Berlin", "DE")


def test_accepted_means_committed(collector):
    collector.post(view())

    assert collector.row("SELECT count(*) FROM page_view") == (1,)


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        ({"events": [view()], "headers": {"User-Agent": BOT}}, 204, "bot"),
        ({"events": [view(wd=1)]}, 204, "bot"),
        ({"events": [view()], "headers": {"Sec-Purpose": "prefetch"}}, 204, "prefetch"),
        ({"events": [view()], "headers": {"Purpose": "prefetch"}}, 204, "prefetch"),
        ({"events": [view()], "headers": {"Sec-Purpose": "prefetch;prerender"}}, 204, "prefetch"),
        ({"events": [{"e": "p", "n": 1, "u": "/"}]}, 204, "no_visit"),
        ({"events": [{"e": "new", "n": 1}]}, 204, "unknown_kind"),
        ({"events": [{"e": "c", "n": 1, "s": "typing"}]}, 204, "unknown_kind"),
        ({"events": [{"e": "i", "n": 1, "i": {}}]}, 204, "nothing_to_do"),
        ({"events": [view(0)]}, 400, "malformed"),
        ({"events": [view()], "site": "nobody"}, 403, "unknown_site"),
        (
            {"events": [view()], "headers": {"Origin": "https://x.example"}},
            403,
            "origin_not_allowed",
        ),
        ({"events": [view()], "headers": {"Origin": "null"}}, 403, "origin_not_allowed"),
        ({"events": [view()], "headers": {"Content-Encoding": "gzip"}}, 415, "encoded"),
        ({"events": [view()], "headers": {"Content-Encoding": "identity"}}, 415, "encoded"),
    ],
)
def test_refusal_has_its_status_and_reason_and_is_counted(collector, sent, status, reason):
    events = sent.pop("events")

    answer = collector.post(*events, **sent)

    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (status, reason)
    assert collector.rows("SELECT * FROM visit") == []
    assert wait_for(collector.drops) == {reason: 1}


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [
        ("203.0.113.7", 204),
        ("198.51.100.1, 203.0.113.7", 204),
        ("203.0.113.7, 198.51.100.1", 200),
        ("198.51.100.1", 200),
        ("2001:db8::9", 204),
    ],
)
def test_own_visit_is_known_by_its_address_behind_trusted_proxies(
    run_collector, sqlite_url, forwarded, status
):
    collector = run_collector(sqlite_url, trusted_proxies=(ip_network("127.0.0.1/32"),))
    collector.change_site("shop1", own_networks=["203.0.113.0/24", "2001:db8::/56"])
    collector.refresh_sites()

    answer = collector.post(view(), headers={"X-Forwarded-For": forwarded})

    assert answer.status_code == status
    assert collector.row("SELECT count(*) FROM visit") == (int(status == 200),)
    if status == 204:
        assert answer.headers["X-Drop-Reason"] == "own_visit"
        assert wait_for(collector.drops) == {"own_visit": 1}


def test_own_people_begin_no_chat_and_end_the_one_that_goes_on(collector):
    collector.change_site("shop1", chat_button=True)
    collector.refresh_sites()
    collector.post(view())
    opened = collector.call("open", s=ID, t="tab00001", n="message1", x="Hello?").json()
    collector.change_site("shop1", own_networks=["127.0.0.1"])
    collector.refresh_sites()

    begun = collector.call("open", s=ID, t="tab00002", n="message2", x="Hello again?")
    ended = collector.call("end", c=opened["c"])

    assert (begun.status_code, begun.headers["X-Drop-Reason"]) == (204, "own_visit")
    assert (ended.status_code, ended.json()["state"]) == (200, "left")


def test_visits_are_recorded_again_once_the_network_is_taken_off(collector):
    for networks, status in ((["127.0.0.1"], 204), ([], 200)):
        collector.change_site("shop1", own_networks=networks)
        collector.refresh_sites()
        assert collector.post(view()).status_code == status


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "PROPFIND"])
def test_other_methods_are_not_allowed(collector, method):
    answer = collector.send(b"", method=method)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"
    assert_readable(answer)


@pytest.mark.parametrize("path", ["/v1/beacon", "/v1/conversation/open"])
@pytest.mark.parametrize(
    "asked", ["content-type", "authorization,baggage,traceparent", "x-csrf-token,x-own-header"]
)
def test_preflight_allows_every_header(collector, path, asked):
    answer = collector.http.options(
        path,
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": asked,
        },
    )

    allowed = answer.headers["Access-Control-Allow-Headers"]
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "POST, OPTIONS"
    assert allowed.lower().split(", ") == ["*", "authorization"], "a star is not Authorization"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert_readable(answer)


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, padded(200), {}),
        (204, padded(200), {"User-Agent": BOT}),
        (400, b"{}", {}),
        (403, padded(200).replace(b"shop1", b"shop9"), {}),
        (413, padded(16_385), {}),
        (415, padded(200), {"Content-Encoding": "br"}),
    ],
)
def test_every_answer_may_be_read_by_any_page(collector, status, body, headers):
    answer = collector.send(body, headers=headers)

    assert answer.status_code == status
    assert_readable(answer)


def test_error_is_one_line_of_json(collector):
    answer = collector.send(b'{"v": 2}')

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"error": "Invalid enum value 2 - at `$.v`"}
    assert "\n" not in answer.text


@pytest.mark.parametrize(("size", "status"), [(16_383, 200), (16_384, 200), (16_385, 413)])
def test_body_has_at_most_16_kib(collector, size, status):
    assert collector.send(padded(size)).status_code == status


@pytest.mark.parametrize(("size", "status"), [(16_384, b"200"), (16_385, b"413"), (90_000, b"413")])
def test_body_without_announced_length_has_the_same_limit(collector, size, status):
    def in_chunks():
        body = padded(size)
        for start in range(0, len(body), 4_096):
            yield body[start : start + 4_096]

    answer = collector.http.post(
        "/v1/beacon", content=in_chunks(), headers={"Origin": ORIGIN, "User-Agent": CHROME}
    )

    assert str(answer.status_code).encode() == status


def test_announced_length_is_refused_before_the_body_comes(collector):
    with socket.create_connection(("127.0.0.1", collector.port), timeout=5) as connection:
        connection.sendall(b"POST /v1/beacon HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n")
        answer = connection.recv(65_536)
        rest = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert rest == b"", "the connection is closed"


@pytest.mark.parametrize(("events", "status"), [(1, 200), (20, 200), (21, 400)])
def test_beacon_has_at_most_20_events(collector, events, status):
    answer = collector.post(*[view(number) for number in range(1, events + 1)])

    assert answer.status_code == status
    assert len(collector.rows("SELECT * FROM page_view")) == (events if status == 200 else 0)


def test_one_wrong_event_refuses_the_whole_beacon(collector):
    answer = collector.post(view(1), view(2), {"e": "v", "n": 3, "u": 5})

    assert answer.status_code == 400
    assert collector.rows("SELECT * FROM page_view") == []


def test_unknown_kind_is_counted_and_the_rest_taken(collector):
    answer = collector.post(view(1), {"e": "new", "n": 2}, {"e": "newer", "n": 3})

    assert answer.status_code == 200
    assert wait_for(collector.drops) == {"unknown_kind": 1}


def test_missing_user_agent_is_no_bot(collector):
    request = collector.http.build_request(
        "POST", "/v1/beacon", content=padded(200), headers={"Origin": "https://shop.example"}
    )
    del request.headers["User-Agent"]

    assert collector.http.send(request).status_code == 200


def test_bots_are_visits_where_the_owner_wants_them(run_collector, sqlite_url):
    collector = run_collector(sqlite_url, count_bots=True)

    assert collector.post(view(), headers={"User-Agent": BOT}).status_code == 200


def test_tracking_off_is_403_and_on_again_is_taken(collector):
    collector.change_site("shop1", tracking_enabled=False)
    collector.refresh_sites()
    off = collector.post(view())
    collector.change_site("shop1", tracking_enabled=True)
    collector.refresh_sites()
    on = collector.post(view())

    assert (off.status_code, off.headers["X-Drop-Reason"]) == (403, "tracking_off")
    assert on.status_code == 200


def test_opaque_origin_is_taken_where_the_site_says_so(collector):
    collector.change_site("shop1", accepts_null_origin=True)
    collector.refresh_sites()

    assert collector.post(view(), headers={"Origin": "null"}).status_code == 200


def test_two_origins_are_none(collector):
    headers = [("Origin", "https://shop.example"), ("Origin", "https://evil.example")]

    answer = collector.http.post("/v1/beacon", content=padded(200), headers=headers)

    assert answer.status_code == 403


def test_host_of_the_page_is_noted(collector):
    for number in (1, 2):
        collector.post(view(number), site="open", headers={"Origin": "https://www.Shop.example:81"})

    assert wait_for(
        lambda: collector.rows("SELECT host, hits FROM site_origin") == [("www.shop.example", 2)]
    )


def test_visit_over_names_the_reason(collector):
    collector.post(view())
    collector.clock.advance(30 * MINUTE)

    answer = collector.post({"e": "p", "n": 2, "u": "/", "f": 1})

    assert (answer.status_code, answer.headers["X-Drop-Reason"]) == (204, "visit_over")


def test_too_many_from_one_address_are_429_and_counted_for_their_site(run_collector, sqlite_url):
    collector = run_collector(sqlite_url, rate_limit=RateLimit(1, 3))

    answers = [collector.post(view(number)) for number in range(1, 6)]

    refused = answers[-1]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert (refused.headers["Retry-After"], refused.headers["X-Drop-Reason"]) == ("1", "rate_limit")
    assert_readable(refused)
    wait_for(lambda: collector.drops() == {"rate_limit": 2})
    assert collector.rows("SELECT site_id FROM drop_count") == [(1,)]


def test_rate_limit_counts_the_visitors_behind_a_trusted_proxy_apart(run_collector, sqlite_url):
    collector = run_collector(
        sqlite_url, rate_limit=RateLimit(1, 1), trusted_proxies=(ip_network("127.0.0.1/32"),)
    )

    statuses = [
        collector.post(view(), headers={"X-Forwarded-For": address}).status_code
        for address in ("198.51.100.1", "198.51.100.2", "198.51.100.1")
    ]

    assert statuses == [200, 200, 429]


def test_untrusted_proxy_is_reported_on_the_sites_page(collector):
    collector.post(view(), headers={"X-Forwarded-For": "198.51.100.1"})

    assert wait_for(lambda: collector.rows("SELECT name FROM collector_warning")) == [
        ("untrusted_proxy",)
    ]


def test_database_away_is_503_with_retry_after(run_collector, postgres_url, postgres):
    collector = run_collector(postgres_url)
    collector.post(view())
    name = make_url(postgres_url).database
    collector.engine.dispose()
    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )

    away = collector.post(view(2))
    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    back = collector.post(view(2))

    assert (away.status_code, away.headers["X-Drop-Reason"]) == (503, "not_committed")
    assert int(away.headers["Retry-After"]) > 0
    assert_readable(away)
    assert back.status_code == 200
    assert collector.row("SELECT count(*) FROM page_view") == (2,)


def test_pipelined_beacons_are_answered_one_by_one(collector):
    body = padded(200)
    request = (
        b"POST /v1/beacon HTTP/1.1\r\nHost: x\r\nOrigin: https://shop.example\r\n"
        b"User-Agent: " + CHROME.encode() + b"\r\nContent-Length: 200\r\n\r\n" + body
    )
    with socket.create_connection(("127.0.0.1", collector.port), timeout=5) as connection:
        connection.sendall(request * 3)
        received = b""
        while received.count(b'{"s"') < 3:
            received += connection.recv(65_536)

    assert received.count(b"HTTP/1.1 200 ") == 3
    assert collector.row("SELECT count(*) FROM page_view") == (1,)


def assert_readable(answer):
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After, X-Drop-Reason"
