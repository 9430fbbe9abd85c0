"""Presence, idleness and the end of a visit, under a clock that the test moves."""

import json
from itertools import pairwise

import pytest

from tests.helpers.network_gate import answer, first, rewrite

SECOND = 1_000
MINUTE = 60 * SECOND


@pytest.fixture
def page(context):
    return _with_clock(context.new_page())


def _with_clock(page):
    """Under the fake clock the script gives up on an answer that takes longer than a step or two.

    The answers of beacons: a listening call is held until there is something to hear.
    """
    page.clock.install()
    page.add_init_script("""window.requests = [];
    const plain = window.fetch;
    const whole = async reply => {
        const { status, headers } = await reply;
        return new Response(status === 204 ? null : await (await reply).text(), { status, headers });
    };
    window.fetch = (address, ...values) => {
        if (!String(address).includes('/v1/beacon')) return plain(address, ...values);
        const reply = whole(plain(address, ...values));
        requests.push(reply);
        return reply;
    }""")
    return page


def arrive(shop, page, path="/p1"):
    """Open a page and wait until the collector has its view."""
    page.goto(shop.url(path))
    page.clock.run_for(500)
    shop.until_event("v")
    page.wait_for_timeout(100)


def advance(page, milliseconds, step=5 * SECOND):
    """Let time pass; between the steps the answers of the collector arrive."""
    for _ in range(milliseconds // step):
        page.clock.run_for(step)
        page.evaluate("Promise.allSettled(requests).then(() => {})")
        page.wait_for_timeout(4)


def test_visible_reader_is_present_every_twenty_seconds(shop, page):
    shop.set_fault(_asks_for(20))
    arrive(shop, page)
    advance(page, 45 * SECOND)
    shop.until_event("p", 2)
    assert len(shop.events("p")) == 2
    assert shop.paths() == ["/p1"]


def test_presence_slows_down_three_times_and_sends_idle_seconds(shop, page):
    shop.set_fault(_asks_for(20))
    arrive(shop, page)
    advance(page, 11 * MINUTE)
    quiet = [event["a"] for event in shop.events("p")]
    # The page's clock goes on by itself, too, and an answer may come a step late.
    gaps = {round(later - earlier, -1) for earlier, later in pairwise(quiet)}
    assert {20, 60} <= gaps <= {20, 30, 60, 70}
    assert quiet[-1] >= 600
    visit = shop.visit()
    assert visit["last_activity_at"] - visit["started_at"] < 5 * SECOND


def test_presence_stops_after_thirty_quiet_minutes(shop, page):
    arrive(shop, page)
    advance(page, 31 * MINUTE)
    sent = len(shop.beacons())
    assert max(event["a"] for event in shop.events("p")) < 1_800
    advance(page, 10 * MINUTE, step=MINUTE)
    assert len(shop.beacons()) == sent


def test_presence_follows_at_once_the_pace_that_the_collector_asks_for(shop, page):
    shop.set_fault(_asks_for(5))
    arrive(shop, page)
    advance(page, 41 * SECOND)
    activity_ages = shop.until(lambda: (found := [e["a"] for e in shop.events("p")])[6:] and found)
    assert activity_ages[0] <= 10, "not after the twenty seconds of the old pace"
    assert {round(later - earlier) for earlier, later in pairwise(activity_ages)} <= {5, 6}


def test_route_that_no_call_tells_of_is_seen_with_the_next_presence(shop, page):
    shop.head = "<script>delete window.navigation; Object.freeze(history)</script>"
    arrive(shop, page)
    page.evaluate("history.pushState({}, '', '/p2')")
    advance(page, 25 * SECOND)
    shop.until_paths("/p1", "/p2")


def test_page_that_is_written_anew_goes_on(shop, page):
    """document.open() takes away all listeners of the document and of the window."""
    shop.set_fault(_asks_for(20))
    arrive(shop, page)
    page.evaluate("document.open(); document.write('<button>new</button>'); document.close()")
    advance(page, 65 * SECOND)
    page.click("button")
    page.clock.run_for(200)
    shop.until(lambda: shop.events("p")[-1]["a"] == 0)
    page.evaluate("history.pushState({}, '', '/p2')")
    page.clock.run_for(200)
    shop.until_paths("/p1", "/p2")


def test_interaction_is_activity_and_presence_is_not(shop, page):
    arrive(shop, page)
    advance(page, 2 * MINUTE)
    page.keyboard.press("a")
    page.clock.run_for(200)
    shop.until(lambda: shop.events("p")[-1]["a"] == 0)
    assert shop.events("p")[-2]["a"] >= 100
    assert shop.paths() == ["/p1"]


@pytest.mark.parametrize(
    "act",
    [
        lambda page: page.mouse.move(90, 70),
        lambda page: page.mouse.wheel(0, 300),
        lambda page: page.click("button"),
        lambda page: page.keyboard.press("Tab"),
    ],
    ids=["pointer", "wheel", "click", "key"],
)
def test_real_interactions_are_noticed(shop, page, act):
    arrive(shop, page)
    advance(page, 65 * SECOND)
    act(page)
    page.clock.run_for(200)
    shop.until(lambda: shop.events("p")[-1]["a"] == 0)


def test_fake_events_are_not_taken_for_activity(shop, page):
    arrive(shop, page)
    advance(page, 65 * SECOND)
    page.evaluate(
        """() => {
            for (const [type, kind] of [['keydown', KeyboardEvent], ['pointermove', PointerEvent],
                ['pointerdown', PointerEvent], ['click', MouseEvent], ['wheel', WheelEvent],
                ['touchstart', Event], ['scroll', Event]])
                document.body.dispatchEvent(new kind(type, {bubbles: true}));
            document.querySelector('button').click();
            scrollTo(0, 500);
        }"""
    )
    advance(page, 40 * SECOND)
    shop.until(lambda: shop.events("p")[-1]["a"] >= 100)
    assert all(event["a"] > 0 for event in shop.events("p"))


def test_interaction_after_thirty_quiet_minutes_is_a_new_visit(shop, page):
    arrive(shop, page)
    advance(page, 31 * MINUTE, MINUTE)
    page.keyboard.press("a")
    page.clock.run_for(200)
    shop.until_paths("/p1", "/p1")
    old, new = {beacon["s"]: None for beacon in shop.beacons()}
    assert {visit["id"] for visit in shop.visits()} == {old, new}
    assert [visit["page_count"] for visit in shop.visits()] == [1, 1]
    assert page.evaluate("localStorage.vm").startswith(new)


def test_interaction_before_thirty_quiet_minutes_is_the_same_visit(shop, page):
    arrive(shop, page)
    advance(page, 29 * MINUTE, MINUTE)
    page.keyboard.press("a")
    page.clock.run_for(200)
    shop.until(lambda: shop.events("p")[-1]["a"] == 0)
    assert shop.paths() == ["/p1"]


def test_next_page_after_thirty_quiet_minutes_is_a_new_visit(shop, page):
    arrive(shop, page)
    page.clock.fast_forward(31 * MINUTE)
    page.evaluate("localStorage.vm = localStorage.vm.replace(/\\d+$/, time => time - 31 * 60000)")
    page.goto(shop.url("/p2"))
    page.clock.run_for(500)
    shop.until_paths("/p1", "/p2")
    assert len(shop.visits()) == 2


def test_computer_that_slept_is_noticed(shop, context):
    """Timers and performance.now() stand still in sleep; the wall clock does not."""
    page = context.new_page()
    page.add_init_script(
        "window.slept = 0; const now = Date.now; Date.now = () => now.call(Date) + window.slept;"
    )
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("window.slept = 40 * 60_000")
    page.keyboard.press("a")
    shop.until_paths("/p1", "/p1")
    assert len(shop.visits()) == 2


def test_new_visit_in_one_tab_is_joined_by_the_other(shop, context):
    one, other = _with_clock(context.new_page()), _with_clock(context.new_page())
    arrive(shop, one, "/p1")
    arrive(shop, other, "/p2")
    shop.until_paths("/p1", "/p2")
    for page in (one, other):
        page.clock.fast_forward(31 * MINUTE)
    one.keyboard.press("a")
    one.clock.run_for(200)
    shop.until_paths("/p1", "/p2", "/p1")
    other.keyboard.press("a")
    other.clock.run_for(200)
    shop.until_paths("/p1", "/p2", "/p1", "/p2")
    assert [visit["page_count"] for visit in shop.visits()] == [2, 2]


def test_visit_that_is_over_at_the_collector_goes_on_as_its_successor(shop, page):
    def make_old(beacon):
        for event in beacon["b"]:
            event["a"] = 0
            if event["n"] == 1:
                event["o"] = 1_800

    shop.set_fault(rewrite(make_old))
    arrive(shop, page)
    page.evaluate("visitorMonitor('identify', {name: 'Ada'})")
    page.clock.run_for(100)
    shop.until_event("i")
    page.wait_for_timeout(100)
    advance(page, MINUTE)
    assert len(shop.beacons()) == 2, "it waits for the next interaction"
    page.keyboard.press("a")
    page.clock.run_for(200)
    shop.until_paths("/p1", "/p1")
    [old, new] = shop.visits()
    assert new["follows"] == old["id"]
    shop.until(lambda: "Ada" in shop.visits()[1]["attributes"])
    shop.until(lambda: page.evaluate("localStorage.vm").startswith(new["id"]))


def test_visit_that_the_collector_does_not_know_is_opened_again(shop, page):
    shop.set_fault(first(1, answer(400)))
    arrive(shop, page, "/p1?utm_source=Partner")
    advance(page, 25 * SECOND)
    shop.until_event("p")
    page.wait_for_timeout(100)
    assert shop.visits() == []
    page.keyboard.press("a")
    page.clock.run_for(200)
    shop.until_paths("/p1")
    assert shop.visit()["source"] == "Partner"


def test_frozen_page_goes_on_where_it_stopped(shop, context, page):
    arrive(shop, page)
    session = context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    session.send("Page.setWebLifecycleState", {"state": "active"})
    advance(page, 25 * SECOND)
    shop.until_event("p")
    assert shop.paths() == ["/p1"]


def _asks_for(seconds):
    def change(passage, forward):
        reply = forward(passage)
        if reply and reply.status == 200:
            reply.body = json.dumps({**json.loads(reply.body), "i": seconds}).encode()
        return reply

    return change
