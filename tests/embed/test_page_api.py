"""window.visitorMonitor(...): what a page may call."""

import json

from tests.helpers.network_gate import first, refuse

STUB = (
    "<script>window.visitorMonitor = window.visitorMonitor || function () "
    "{ (visitorMonitor.q = visitorMonitor.q || []).push(arguments) }; %s</script>"
)


def test_calls_made_before_the_script_loads_are_kept(shop, page):
    shop.head = STUB % (
        "visitorMonitor('identify', {name: 'Ada', plan: 7}); visitorMonitor('context', 'cart');"
        "visitorMonitor('chat', 'start'); window.kept = visitorMonitor"
    )
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    shop.until(lambda: json.loads(shop.visit()["attributes"]) == {"name": "Ada", "plan": "7"})
    assert shop.visit()["page_context"] == "Cart"
    assert shop.visit()["chat_source"] == "third_party"
    page.evaluate("kept('identify', {name: 'Grace'})")
    shop.until(lambda: json.loads(shop.visit()["attributes"])["name"] == "Grace")


def test_identify_is_limited(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(
        """visitorMonitor('identify', Object.fromEntries(
            [...Array(15)].map((_, index) => [index + 'n'.repeat(50), '\\u0001😀'.repeat(150)])))"""
    )
    shop.until(lambda: shop.visit()["attributes"] != "{}")
    stored = json.loads(shop.visit()["attributes"])
    assert len(stored) == 10
    assert all(len(name) <= 32 and len(text) <= 200 for name, text in stored.items())


def test_identify_of_far_too_much_costs_the_visit_nothing(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("visitorMonitor('identify', {name: 'x'.repeat(1e6), about: '😀'.repeat(9e3)})")
    page.evaluate("history.pushState({}, '', '/p2')")
    shop.until_paths("/p1", "/p2")


def test_identify_leaves_out_what_is_not_there(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(
        "visitorMonitor('identify', {name: null, email: undefined, orders: 0, vip: false})"
    )
    shop.until(lambda: shop.visit()["attributes"] != "{}")
    assert json.loads(shop.visit()["attributes"]) == {"orders": "0", "vip": "false"}


def test_half_a_character_is_mended_and_stored(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(
        "document.title = 'cart 🛒'.slice(0, 6); visitorMonitor('page');"
        "visitorMonitor('identify', {name: 'Ada 🙂'.slice(0, 5)})"
    )
    shop.until(lambda: len(shop.views()) == 2 and shop.visit()["attributes"] != "{}")
    assert shop.views()[1]["title"] == "cart \ufffd"
    assert json.loads(shop.visit()["attributes"]) == {"name": "Ada \ufffd"}
    shop.until(lambda: _statuses(shop) == {200})


def test_context_set_later_corrects_the_page(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("visitorMonitor('context', 'checkout')")
    shop.until(lambda: shop.visit()["page_context"] == "In Checkout")
    assert [view["page_context"] for view in shop.views()] == ["In Checkout"]


def test_context_is_of_one_page(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("history.pushState({}, '', '/p2'); visitorMonitor('context', 'product')")
    shop.until_paths("/p1", "/p2")
    page.evaluate("history.pushState({}, '', '/p3')")
    shop.until_paths("/p1", "/p2", "/p3")
    assert [view["page_context"] for view in shop.views()] == ["", "Product", ""]


def test_page_call_is_a_view_of_the_same_address(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("visitorMonitor('page')")
    shop.until_paths("/p1", "/p1")


def test_page_call_with_a_route_is_one_view(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("history.pushState({}, '', '/p2'); visitorMonitor('page')")
    shop.until_paths("/p1", "/p2")


def test_third_party_chat_is_reported(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("visitorMonitor('chat', 'start')")
    shop.until(lambda: shop.visit()["chat_source"] == "third_party")
    begun = shop.visit()["chat_message_at"]
    page.evaluate("visitorMonitor('chat', 'message')")
    shop.until(lambda: shop.visit()["chat_message_at"] > begun)
    page.evaluate("visitorMonitor('chat', 'end')")
    shop.until(lambda: shop.visit()["chat_source"] == "")


def test_wrong_calls_do_no_harm(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(
        """for (const words of [[], [null], ['nothing'], ['constructor'], ['identify'], ['identify', 7],
            ['identify', {a: {}, b: null, c: Symbol()}], ['context'], ['context', {}], ['context', 5],
            ['chat'], ['chat', 7], ['on'], ['on', 'invite'], ['consent', true], ['page', 1]])
            visitorMonitor(...words)"""
    )
    page.evaluate("history.pushState({}, '', '/end')")
    shop.until(lambda: "/end" in shop.paths() and 0 not in _statuses(shop))
    assert _statuses(shop) <= {200, 204}


def test_invitation_is_handed_to_the_page(shop, page):
    def invite(passage, forward):
        reply = forward(passage)
        if reply and reply.status == 200:
            offer = {"t": "invite", "k": "token", "from": "Eve", "text": "Hello"}
            reply.body = json.dumps({**json.loads(reply.body), "c": offer}).encode()
        return reply

    shop.set_fault(invite)
    shop.head = STUB % (
        "visitorMonitor('on', 'invite', offer => { window.offer = offer; throw Error('page') })"
    )
    page.goto(shop.url("/p1"))
    page.wait_for_function("window.offer", polling=50)
    assert page.evaluate("offer.text") == "Hello"
    shop.until_paths("/p1")
    assert len(shop.beacons()) == 1, "a listener that throws is no reason to send again"
    shop.until(lambda: any("monitor-chat" in passage.path for passage in shop.passages()))


def test_identity_that_could_not_be_sent_goes_with_the_next(shop, page):
    shop.set_fault(first(1, refuse))
    page.goto(shop.url("/p1"))
    page.wait_for_function("!!window.visitorMonitor", polling=50)
    page.evaluate("visitorMonitor('identify', {name: 'Ada'})")
    shop.until(lambda: shop.visits() and "Ada" in shop.visit()["attributes"])


def _statuses(shop):
    """How the beacons were answered; 0 while one is not."""
    return {passage.status for passage in shop.passages() if passage.is_beacon}
