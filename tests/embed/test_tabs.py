"""Tabs: only visible tabs count, and all tabs of a browser are one visit."""

import json
import time

import pytest

LINK = """<title>Link</title>{tag}<script>
    const rules = document.createElement('script');
    rules.type = 'speculationrules';
    rules.textContent = JSON.stringify({prerender: [{urls: ['/next'], eagerness: 'immediate'}]});
    document.head.append(rules);
    setTimeout(() => (location.href = '/next'), 1500);
</script>"""
LOADED = "<script>onload = () => navigator.sendBeacon('{gate}/loaded/{key}')</script>"
NEXT = """<title>Next</title><script>
    const signal = (what) => navigator.sendBeacon('{gate}/' + what + '/{key}');
    if (document.prerendering) signal('prerendered');
    document.addEventListener('prerenderingchange', () => signal('activated'));
</script>{tag}"""


def test_background_tab_counts_when_it_first_becomes_visible(shop, tabs):
    tabs.open(shop.url("/front"))
    shop.until_paths("/front")
    shop.head = LOADED
    back = tabs.open_behind(shop.url("/back"))
    shop.until(lambda: _signal(shop, "/loaded"))
    tabs.show(back)
    shop.until_paths("/front", "/back")
    shop.until(lambda: shop.visit()["current_path"] == "/back")
    shop.until(lambda: _open_spans(shop) == 1)


def test_background_tab_that_never_becomes_visible_is_no_view(shop, tabs):
    front = tabs.open(shop.url("/front"))
    shop.until_paths("/front")
    shop.head = LOADED
    back = tabs.open_behind(shop.url("/back"))
    shop.until(lambda: _signal(shop, "/loaded"))
    tabs.close(back)
    tabs.close(front)
    shop.until_event("h")
    assert shop.paths() == ["/front"]
    assert len({beacon["t"] for beacon in shop.beacons()}) == 1


@pytest.mark.long
def test_page_that_is_written_anew_is_away_while_it_is_hidden(shop, tabs):
    """document.open() takes away all listeners of the document and of the window."""
    shop.set_fault(_asks_for_presence)
    shop.pages["/p1"] = """<title>Written</title>{tag}<script>
        onload = () => setTimeout(() => {
            document.open();
            document.write("<script>navigator.sendBeacon('{gate}/loaded/{key}')</" + 'script>');
            document.close();
        }, 1000);
    </script>"""
    written = tabs.open(shop.url("/p1"))
    shop.until_paths("/p1")
    shop.until(lambda: _signal(shop, "/loaded"))
    tabs.open("about:blank")
    shop.until_event("h")
    shop.until(lambda: _open_spans(shop) == 0)
    sent = len(shop.events("p"))
    time.sleep(5)
    assert len(shop.events("p")) == sent
    tabs.show(written)
    shop.until(lambda: len(shop.events("p")) > sent)


def test_prerendered_page_is_a_view_only_once_it_is_activated(shop, tabs):
    shop.pages["/link"] = LINK
    shop.pages["/next"] = NEXT
    tabs.open(shop.url("/link"))
    shop.until_paths("/link")
    shop.until(lambda: _signal(shop, "/prerendered"))
    shop.until_paths("/link", "/next")
    activated = shop.until(lambda: _signal(shop, "/activated"))
    [second] = [p for p in shop.passages() if b'"/next"' in p.body and b'"v"' in p.body]
    assert second.at >= activated.at


def test_prerendered_page_that_is_never_shown_is_no_view(shop, tabs):
    shop.pages["/link"] = LINK.replace("setTimeout", "void")
    shop.pages["/next"] = NEXT
    link = tabs.open(shop.url("/link"))
    shop.until(lambda: _signal(shop, "/prerendered"))
    shop.until_paths("/link")
    tabs.close(link)
    shop.until_event("h")
    assert shop.paths() == ["/link"]


def test_leaving_a_tab_is_sent_within_a_second(shop, tabs):
    tabs.open(shop.url("/p1"))
    shop.until_paths("/p1")
    left_at = time.monotonic()
    tabs.open("about:blank")
    shop.until(lambda: _open_spans(shop) == 0)
    assert time.monotonic() - left_at < 1


def test_return_to_a_tab_is_presence_and_no_view(shop, tabs):
    first = tabs.open(shop.url("/p1"))
    shop.until_paths("/p1")
    tabs.open("about:blank")
    shop.until_event("h")
    tabs.show(first)
    shop.until_event("p")
    shop.until(lambda: _open_spans(shop) == 1)
    assert shop.paths() == ["/p1"]


def test_route_that_changes_in_the_background_counts_when_it_becomes_visible(shop, tabs):
    shop.head = """<script>addEventListener('visibilitychange', () => {
        if (document.hidden) for (const path of ['/a', '/b']) history.pushState({}, '', path);
    })</script>"""
    first = tabs.open(shop.url("/p1"))
    shop.until_paths("/p1")
    tabs.open("about:blank")
    shop.until_event("h")
    time.sleep(0.5)
    assert [event["e"] for event in shop.events()][-1] == "h", "it stays away"
    tabs.show(first)
    shop.until_paths("/p1", "/b")


def test_two_tabs_are_one_visit_on_the_page_in_front(shop, tabs):
    first = tabs.open(shop.url("/p1"))
    shop.until_paths("/p1")
    second = tabs.open(shop.url("/p2"))
    shop.until_paths("/p1", "/p2")
    assert shop.visit()["current_path"] == "/p2"
    tabs.show(first)
    shop.until(lambda: shop.visit()["current_path"] == "/p1")
    tabs.show(second)
    shop.until(lambda: shop.visit()["current_path"] == "/p2")
    assert shop.visit()["page_count"] == 2


@pytest.mark.long
def test_focus_of_another_window_moves_the_current_page(shop, context):
    first, second = context.new_page(), context.new_page()
    for page, path in ((first, "/p1"), (second, "/p2")):
        page.goto(shop.url(path))
        shop.until(lambda path=path: path in shop.paths())
        session = context.new_cdp_session(page)
        session.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    second.bring_to_front()
    first.bring_to_front()
    shop.until(lambda: shop.visit()["current_path"] == "/p1")
    second.bring_to_front()
    shop.until(lambda: shop.visit()["current_path"] == "/p2")
    assert shop.visit()["page_count"] == 2


def test_another_browser_is_another_visit(shop, make_context):
    for _ in range(2):
        make_context().new_page().goto(shop.url("/p1"))
    shop.until(lambda: len(shop.visits()) == 2)


def _signal(shop, path):
    return next((p for p in shop.gate.passages if p.path == f"{path}/{shop.key}"), None)


def _open_spans(shop):
    return len(
        shop.rows("SELECT 1 FROM visit_span WHERE site_id = :site AND kind = 'in_view' AND is_open")
    )


def _asks_for_presence(passage, forward):
    """A fault: the collector asks for presence every three seconds."""
    reply = forward(passage)
    if reply is not None and reply.body:
        reply.body = json.dumps({**json.loads(reply.body), "i": 3}).encode()
    return reply
