"""What the main script does for the chat's script: loads it once, and hands it each offer.

Most tests put a script in the chat's place that keeps what it is given; that the two fit together
is shown where the chat itself is tested.
"""

import json

import pytest

from tests.helpers.network_gate import refuse

KEEPER = """
window.hosts = [], window.offers = [];
export default (host) => {
  hosts.push(host);
  return (offer) => { offers.push(offer); };
};
"""
OFFER = {"t": "invite", "k": "t0ken", "from": "Eve", "text": "Hello"}
CHAT = "**/embed/visitor-monitor-chat.js*"


@pytest.mark.parametrize("offer", [OFFER, {"t": "site", "b": 1}], ids=["invitation", "site"])
def test_chat_is_begun_once_and_gets_every_offer(shop, page, offer):
    serve(page, KEEPER)
    shop.set_fault(offering(offer))
    page.goto(shop.url("/p1"))
    shop.until(lambda: page.evaluate("window.offers?.length") == 1)

    page.evaluate("visitorMonitor('page')")

    shop.until(lambda: page.evaluate("offers.length") == 2)
    assert page.evaluate("offers") == [offer, offer]
    assert page.evaluate("hosts.length") == 1


def test_chat_is_not_loaded_without_an_offer(shop, page):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("visitorMonitor('page')")
    shop.until_paths("/p1", "/p1")
    assert chat_requests(shop) == []


def test_chat_knows_the_visit_and_its_host(shop, page):
    serve(page, KEEPER)
    shop.set_fault(offering(OFFER))
    page.goto(shop.url("/p1"))
    shop.until(lambda: page.evaluate("window.offers?.length") == 1)

    [beacon] = shop.beacons()
    host = page.evaluate(
        "(({base, site, tab, visit, isStoring, isRunning}) =>"
        " [base, site, tab, visit(), isStoring(), isRunning()])(hosts[0])"
    )
    assert host == [shop.gate.url, shop.key, beacon["t"], beacon["s"], True, True]
    page.evaluate("hosts[0].write('vm-chat', 'x'), hosts[0].write('vm-chat')")
    assert page.evaluate("hosts[0].read('vm-chat')") is None
    page.evaluate("visitorMonitor('consent', false)")
    assert page.evaluate("[hosts[0].visit(), !hosts[0].isRunning()]") == ["", True]


def test_listener_of_the_page_is_handed_on(shop, page):
    serve(page, KEEPER)
    shop.set_fault(offering(OFFER))
    page.goto(shop.url("/p1"))
    shop.until(lambda: page.evaluate("window.offers?.length") == 1)

    page.evaluate("visitorMonitor('on', 'invite', (offer) => { window.heard = offer; throw 1 })")

    page.evaluate("hosts[0].listeners.invite({text: 'Hello'})")
    assert page.evaluate("heard.text") == "Hello"


def test_conversation_is_resumed_before_a_beacon_is_answered(shop, page):
    serve(page, KEEPER)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("localStorage.setItem('vm-chat', 't0ken')")
    shop.set_fault(refuse)

    page.goto(shop.url("/p2"))

    shop.until(lambda: page.evaluate("window.offers?.length") == 1)
    assert page.evaluate("offers") == [None]
    assert page.evaluate("hosts[0].visit()") == shop.visit()["id"]


def test_visit_that_is_over_is_not_resumed(shop, page):
    serve(page, KEEPER)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(
        "localStorage.setItem('vm-chat', 't0ken');"
        "localStorage.setItem('vm', localStorage.vm.replace(/\\d+$/, Date.now() - 1_800_001))"
    )
    page.add_init_script(
        "Object.defineProperty(Document.prototype, 'readyState', {get: () => 'loading'})"
    )

    page.goto(shop.url("/p2"))

    shop.until(lambda: page.evaluate("window.offers?.length") == 1)
    assert page.evaluate("hosts[0].visit()") == ""


@pytest.mark.parametrize("attributes", ['data-storage="none"', 'data-consent="required"'])
def test_nothing_is_resumed_where_nothing_may_be_stored(shop, page, attributes):
    shop.attributes = attributes
    page.add_init_script("localStorage.setItem('vm-chat', 't0ken')")
    page.goto(shop.url("/p1"))
    shop.until(lambda: page.evaluate("!!window.visitorMonitor"))
    page.goto(shop.url("/p2"))
    shop.until(lambda: page.evaluate("!!window.visitorMonitor"))
    assert chat_requests(shop) == []


@pytest.mark.parametrize("call", ["'consent', false", "'optOut'"])
def test_forgetting_forgets_the_conversation(shop, page, call):
    serve(page, KEEPER)
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate("localStorage.setItem('vm-chat', 't0ken')")
    page.evaluate(f"visitorMonitor({call})")
    assert page.evaluate("localStorage.getItem('vm-chat')") is None


def test_chat_that_does_not_load_is_tried_again_with_the_next_offer(shop, page):
    requests = []

    def fail_first(route):
        requests.append(route.request.url)
        if len(requests) == 1:
            return route.abort()
        return route.fulfill(body=KEEPER, headers=OPEN)

    page.route(CHAT, fail_first)
    shop.set_fault(offering(OFFER))
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    shop.until(lambda: page.evaluate("true") and requests)

    page.evaluate("visitorMonitor('page')")

    shop.until(lambda: page.evaluate("window.offers?.length") == 1)
    assert len(requests) == len(set(requests)) == 2
    assert len(shop.beacons()) == 2, "a chat that fails is no reason to send again"


@pytest.mark.parametrize(
    "script",
    [
        "this is no script",
        "throw Error('chat')",
        "export default 7",
        "export default () => { throw Error('chat') }",
        "export default () => Promise.reject('chat')",
        "export default () => 7",
        "export default () => () => { throw Error('chat') }",
        "export default () => async () => { throw Error('chat') }",
        "",
    ],
)
def test_broken_chat_does_no_harm(shop, page, script):
    requests = serve(page, script)
    shop.set_fault(offering(OFFER))
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    shop.until(lambda: page.evaluate("true") and requests)

    page.evaluate("visitorMonitor('page')")
    shop.until_paths("/p1", "/p1")
    page.evaluate("history.pushState({}, '', '/p2')")
    shop.until_paths("/p1", "/p1", "/p2")

    assert len(shop.beacons()) == 3


OPEN = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"}


def serve(page, script):
    """The browser gets this script as the chat's. Returns the requests for it, as they come."""
    requests = []

    def answer(route):
        requests.append(route.request.url)
        route.fulfill(body=script, headers=OPEN)

    page.route(CHAT, answer)
    return requests


def offering(offer):
    """The collector offers this to the chat in each of its answers."""

    def offer_too(passage, forward):
        reply = forward(passage)
        if reply and reply.status == 200:
            reply.body = json.dumps({**json.loads(reply.body), "c": offer}).encode()
        return reply

    return offer_too


def chat_requests(shop):
    return [passage.path for passage in shop.passages() if "chat" in passage.path]
