"""The way to the collector: nothing is lost, nothing counts twice, and the page never notices."""

import json
import time

import pytest

from collector.http.assets import BUILT
from tests.helpers.network_gate import answer, first, lose, refuse, slow
from tests.helpers.shop import ABANDONED, until

PUSH = "path => history.pushState({}, '', path)"


def test_no_preflight_no_credentials_plain_text(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.goto(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    sent = [passage for passage in shop.passages() if passage.path == "/v1/beacon"]
    assert {passage.method for passage in sent} == {"POST"}
    assert all("cookie" not in passage.headers for passage in sent)
    assert all(passage.headers["content-type"].startswith("text/plain") for passage in sent)
    assert not any(passage.method == "OPTIONS" for passage in shop.passages())


WRAPPED_FETCH = """<script>
    const plain = window.fetch;
    window.fetch = (url, init = {}) =>
        plain(url, {...init, headers: {...init.headers, ...HEADERS}});
</script>"""


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        {"baggage": "shop=1", "sentry-trace": "1-1", "x-datadog-origin": "rum"},
        {"X-CSRF-Token": "t", "X-Requested-With": "XMLHttpRequest"},
        {"Authorization": "Bearer t", "Content-Type": "application/json"},
    ],
    ids=["trace", "baggage", "csrf", "authorization"],
)
def test_page_that_adds_headers_to_every_request_is_counted(shop, page, headers):
    shop.head = WRAPPED_FETCH.replace("HEADERS", json.dumps(headers))
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    [beacon] = [passage for passage in shop.passages() if passage.is_beacon]
    assert {name.lower() for name in headers} <= set(beacon.headers)
    assert any(passage.method == "OPTIONS" for passage in shop.passages())


@pytest.mark.parametrize("status", [429, 500, 502, 503, 520])
def test_view_arrives_after_the_collector_failed_once(shop, page, status):
    shop.set_fault(first(1, answer(status, {"Retry-After": "1"})))
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    assert len(shop.beacons()) == 2
    tried, again = (beacon["b"][0] for beacon in shop.beacons())
    assert tried["n"] == again["n"]
    assert again["o"] >= 1


def test_retry_after_is_respected(shop, page):
    shop.set_fault(first(1, answer(429, {"Retry-After": "2"})))
    page.goto(shop.url("/p1"))
    shop.until(lambda: len(shop.beacons()) == 1)
    page.evaluate(PUSH, "/p2")
    shop.until_paths("/p1", "/p2")
    refused, taken = (passage for passage in shop.passages() if passage.is_beacon)
    assert taken.at - refused.at >= 1.9
    assert len(taken.beacon["b"]) == 2, "what could not be sent goes with the next"


def test_failed_attempts_are_further_and_further_apart(shop, page):
    shop.set_fault(refuse)
    page.clock.install()
    page.goto(shop.url("/p1"))
    for _ in range(120):
        page.clock.run_for(2_000)
        page.wait_for_timeout(5)
    attempts = len(shop.beacons())
    assert 5 <= attempts <= 14
    shop.set_fault(None)
    page.clock.run_for(100_000)
    shop.until_paths("/p1")


def test_malformed_is_discarded_and_the_next_event_is_sent(shop, page):
    shop.set_fault(first(1, answer(400, body=b'{"error": "no"}')))
    page.goto(shop.url("/p1"))
    shop.until(lambda: len(shop.beacons()) == 1)
    page.wait_for_timeout(150)
    page.evaluate(PUSH, "/p2")
    shop.until_paths("/p2")
    assert [event["u"] for event in shop.events("v")] == ["/p1", "/p2"]


def test_refusal_silences_the_page(shop, page):
    shop.set_fault(first(1, answer(403)))
    page.goto(shop.url("/p1"))
    shop.until(lambda: len(shop.beacons()) == 1)
    page.wait_for_timeout(150)
    page.evaluate(PUSH, "/p2")
    page.evaluate(
        "visitorMonitor('page'); visitorMonitor('optIn'); visitorMonitor('chat', 'start')"
    )
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert len(shop.beacons()) == 1
    page.goto(shop.url("/p3"))
    shop.until_paths("/p3")


@pytest.mark.parametrize("status", [401, 404, 405, 410, 415, 451, 501])
def test_answer_of_what_is_no_collector_silences_the_page(shop, page, status):
    shop.set_fault(answer(status))
    page.goto(shop.url("/p1"))
    shop.until(lambda: len(shop.beacons()) == 1)
    page.wait_for_timeout(150)
    page.evaluate(PUSH, "/p2")
    page.keyboard.press("a")
    page.wait_for_timeout(1_700)  # longer than the pause after a failure
    assert len(shop.beacons()) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_answer_of_a_busy_moment_is_tried_again(shop, page, status):
    shop.set_fault(first(3, answer(status, {"Retry-After": "1"})))
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    assert len(shop.beacons()) == 4


def test_script_copied_to_the_host_of_the_site_falls_silent(shop, page):
    """The shop's server has no POST: it answers 501, as Python's own does."""
    shop.pages["/js/visitor-monitor.js"] = (BUILT / "visitor-monitor.js").read_text("utf-8")
    shop.pages["/p1"] = '<script async src="/js/visitor-monitor.js" data-site="{key}"></script>'
    posts = []
    page.on("response", lambda reply: reply.request.method == "POST" and posts.append(reply.status))
    with page.expect_response("**/v1/beacon"):
        page.goto(shop.url("/p1"))
    page.evaluate(PUSH, "/p2")
    page.wait_for_timeout(1_700)  # longer than the pause after a failure
    assert posts == [501]


def test_tracking_switched_off_is_a_refusal(shop, page, collector):
    shop.key = "unknown"
    page.goto(shop.url("/p1"))
    shop.until(lambda: [p for p in shop.passages() if p.is_beacon and p.status == 403])
    page.evaluate(PUSH, "/p2")
    page.wait_for_timeout(300)
    assert len(shop.beacons()) == 1


def test_other_drops_are_done_with(shop, page):
    shop.set_fault(first(1, answer(204, {"X-Drop-Reason": "bot"})))
    page.goto(shop.url("/p1"))
    shop.until(lambda: len(shop.beacons()) == 1)
    page.wait_for_timeout(1_100)
    page.keyboard.press("a")
    page.wait_for_timeout(200)
    assert len(shop.beacons()) == 1


def test_answer_that_is_not_json_throws_nothing(shop, page):
    shop.set_fault(first(1, answer(200, {"Content-Type": "text/html"}, b"<html>Log in</html>")))
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")


@pytest.mark.parametrize("body", [b"null", b"[]", b"{}", b'"text"', b'{"s":null,"i":"x"}'])
def test_odd_answers_do_no_harm(shop, page, body):
    shop.set_fault(first(1, answer(200, {}, body)))
    page.goto(shop.url("/p1"))
    shop.until(lambda: shop.beacons())
    page.wait_for_timeout(150)
    page.evaluate(PUSH, "/p2")
    shop.until(lambda: "/p2" in shop.paths())


def test_lost_answer_counts_once(shop, page):
    shop.set_fault(first(1, lose))
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("visitorMonitor('identify', {name: 'Ada'})")
    page.evaluate(PUSH, "/p2")
    shop.until_paths("/p1", "/p2")
    assert sum(event["n"] == 1 for event in shop.events("v")) == 2
    assert shop.visit()["page_count"] == 2


def test_lost_answer_to_a_leaving_page_counts_once(shop, page):
    shop.set_fault(first(2, lose))
    page.goto(shop.url("/p1"))
    shop.until(lambda: shop.beacons())
    page.goto(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    assert shop.visit()["page_count"] == 2


def test_offline_and_back(shop, context, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    context.set_offline(True)
    page.evaluate(PUSH, "/p2")
    page.wait_for_timeout(300)
    page.evaluate(PUSH, "/p3")
    page.wait_for_timeout(300)
    assert shop.paths() == ["/p1"]
    context.set_offline(False)
    shop.until_paths("/p1", "/p2", "/p3")
    assert shop.visit()["page_count"] == 3


def test_unreachable_collector_throws_nothing(shop, page):
    shop.attributes = 'data-api="http://127.0.0.1:9"'
    page.goto(shop.url("/p1"))
    page.evaluate("addEventListener('unhandledrejection', () => (window.rejected = true))")
    page.evaluate(PUSH, "/p2")
    page.wait_for_timeout(400)
    page.goto(shop.url("/p3"))
    assert page.evaluate("window.rejected") is None


def test_collector_that_restarts_loses_nothing(shop, page, collector):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    collector.stop()
    page.evaluate(PUSH, "/p2")
    page.wait_for_timeout(300)
    collector.start()
    shop.until_paths("/p1", "/p2")
    assert len(shop.visits()) == 1


def test_outage_of_minutes_is_made_good_in_order(shop, page):
    page.clock.install()
    page.goto(shop.url("/p0"))
    page.clock.run_for(200)
    shop.until_paths("/p0")
    shop.set_fault(refuse)
    for number in range(1, 31):
        page.evaluate(PUSH, f"/p{number}")
        page.clock.run_for(10_000)
        page.wait_for_timeout(5)
    shop.set_fault(None)
    page.clock.run_for(100_000)
    shop.until_paths(*[f"/p{number}" for number in range(31)])
    assert max(len(beacon["b"]) for beacon in shop.beacons()) == 20
    assert shop.visit()["current_path"] == "/p30"
    ages = [event["o"] for event in shop.beacons()[-1]["b"]]
    assert ages == sorted(ages, reverse=True)


def test_views_that_go_together_keep_their_moments(shop, page):
    page.goto(shop.url("/p0"))
    shop.until_paths("/p0")
    shop.set_fault(refuse)
    for number in range(1, 4):
        page.evaluate(PUSH, f"/p{number}")
        page.wait_for_timeout(250)
    shop.set_fault(None)
    shop.until_paths(*[f"/p{number}" for number in range(4)])
    views = shop.views()
    assert [view["path"] for view in views] == [f"/p{number}" for number in range(4)]
    assert len({view["viewed_at"] for view in views}) == 4


def test_beacon_stays_below_sixteen_kibibytes(shop, page):
    shop.set_fault(refuse)
    page.goto(shop.url("/p0"))
    shop.until(lambda: shop.beacons())
    for number in range(1, 25):
        page.evaluate(
            "([path, title]) => { document.title = title; visitorMonitor('page');"
            " history.pushState({}, '', path) }",
            [f"/{number}" + "y" * 1000, f"{number} " + "語" * 250],
        )
        page.wait_for_timeout(80)
    shop.set_fault(None)
    shop.until(lambda: len(shop.paths()) == 25)
    sizes = [len(passage.body) for passage in shop.passages() if passage.is_beacon]
    assert max(sizes) <= 16_384


def test_slow_collector_delays_neither_load_nor_navigation(shop, page):
    shop.set_fault(slow(4))
    started = time.monotonic()
    page.goto(shop.url("/p1"))
    shop.until(lambda: shop.beacons())
    page.goto(shop.url("/p2"))
    assert time.monotonic() - started < 2.5
    shop.until(lambda: {"/p1", "/p2"} <= set(shop.paths()))


def test_slow_script_delays_nothing(shop, page):
    held = []
    page.route("**/embed/visitor-monitor.js", lambda route: held.append(route))
    started = time.monotonic()
    page.goto(shop.url("/p1"), wait_until="domcontentloaded")
    page.click("#next", no_wait_after=True)
    page.wait_for_url("**/next", wait_until="domcontentloaded")
    assert time.monotonic() - started < 2.5
    for route in held:
        route.abort()


def test_hanging_collector_is_given_up_on_and_tried_again(shop, page):
    page.clock.install()
    shop.set_fault(first(1, slow(3)))
    page.goto(shop.url("/p1"))
    page.clock.run_for(200)
    shop.until(lambda: shop.beacons())
    page.clock.run_for(10_500)
    page.wait_for_timeout(100)
    page.clock.run_for(2_000)
    shop.until(lambda: len(shop.beacons()) >= 2)
    until(lambda: shop.paths() == ["/p1"], lambda: f"{shop.paths()}")
    time.sleep(0.1)
    assert shop.visit()["page_count"] == 1


def test_page_that_comes_back_does_not_wait_for_an_abandoned_request(shop, page_with_back):
    shop.head = ABANDONED
    page_with_back.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    shop.until(lambda: shop.chats("listen"))
    page_with_back.evaluate(
        "addEventListener('pageshow', event => (window.cached = event.persisted))"
    )
    page_with_back.goto(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    page_with_back.evaluate("history.back()")
    shop.until_paths("/p1", "/p2", "/p1")
    assert page_with_back.evaluate("window.cached") is True
    page_with_back.evaluate(PUSH, "/p3")
    shop.until_paths("/p1", "/p2", "/p1", "/p3")


def test_events_of_an_old_and_a_new_visit_travel_apart(shop, page):
    page.clock.install()
    page.goto(shop.url("/p1"))
    page.clock.run_for(200)
    shop.until_paths("/p1")
    shop.set_fault(refuse)
    page.evaluate(PUSH, "/p2")
    page.clock.run_for(200)
    page.clock.fast_forward(31 * 60_000)
    page.keyboard.press("a")
    page.clock.run_for(200)
    shop.set_fault(None)
    page.clock.run_for(100_000)
    shop.until_paths("/p1", "/p2", "/p2")
    assert sorted(visit["page_count"] for visit in shop.visits()) in ([1, 1, 1], [1, 2])
