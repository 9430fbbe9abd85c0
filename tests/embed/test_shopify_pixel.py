"""The Custom Pixel, in a frame like the one in which Shopify runs it."""

from pathlib import Path

import pytest

PIXEL = Path(__file__).resolve().parents[2] / "embed" / "shopify-pixel.js"

# What Shopify gives to a pixel: its events, and the shop's storage, both over messages.
SANDBOX = """<title>Frame</title><script>
    const listeners = {}, pending = {};
    let count = 0;
    const analytics = {subscribe: (name, work) => (listeners[name] ||= []).push(work)};
    const ask = (...words) => new Promise(done => {
        pending[++count] = done;
        parent.postMessage([count, ...words], '*');
    });
    const browser = {localStorage: {
        getItem: key => ask('getItem', key), setItem: (key, value) => ask('setItem', key, value)}};
    const init = {};
    addEventListener('message', ({data}) => data.name
        ? (listeners[data.name] || []).forEach(work => work(data))
        : pending[data[0]](data[1]));
</script><script>PIXEL</script>"""
CHECKOUT = """<title>Checkout</title><iframe sandbox="allow-scripts allow-forms" src="/sandbox"></iframe>
<script>
    addEventListener('message', ({data: [count, what, ...words], source}) =>
        source.postMessage([count, localStorage[what](...words)], '*'));
    const publish = (name, pathname, data) =>
        frames[0].postMessage({name, data, context: {document: {location: {pathname}}}}, '*');
</script>"""


def open_checkout(shop, page):
    code = PIXEL.read_text("utf-8").replace("https://HOST", shop.gate.url)
    shop.pages["/sandbox"] = SANDBOX.replace("PIXEL", code.replace("'KEY'", f"'{shop.key}'"))
    shop.pages["/checkouts/cn/secret"] = CHECKOUT
    page.goto(shop.url("/checkouts/cn/secret"))


def test_checkout_goes_on_with_the_visit_of_the_shop(shop, page):
    page.goto(shop.url("/products/mug"))
    shop.until_paths("/products/mug")
    open_checkout(shop, page)
    page.evaluate("publish('page_viewed', '/checkouts/cn/secret')")
    shop.until_paths("/products/mug", "/checkout")
    page.evaluate("publish('page_viewed', '/checkouts/cn/secret/shipping')")
    shop.until(lambda: shop.visit()["page_context"] == "In Checkout")
    page.evaluate("publish('checkout_completed', '/checkouts/cn/secret/thank-you')")
    shop.until_paths("/products/mug", "/checkout", "/checkout/shipping", "/checkout/thank-you")
    assert shop.visit()["page_context"] == "Purchased"
    assert "secret" not in str(shop.beacons()[1:])


def test_total_of_the_checkout_is_told_once_at_each_step(shop, page):
    step = "publish('%s', '/checkouts/cn/secret', {checkout: {totalPrice: %s, email: 'secret'}})"
    open_checkout(shop, page)
    page.evaluate(step % ("checkout_started", "{amount: 120.5, currencyCode: 'EUR'}"))
    page.evaluate("publish('page_viewed', '/checkouts/cn/secret')")
    shop.until_paths("/checkout")
    assert (shop.visit()["cart_value"], shop.visit()["cart_currency"]) == (120.5, "EUR")
    page.evaluate(step % ("checkout_shipping_info_submitted", "null"))
    page.evaluate(step % ("payment_info_submitted", "{amount: 99, currencyCode: 'CHF'}"))
    page.evaluate("publish('page_viewed', '/checkouts/cn/secret/payment')")
    shop.until(lambda: (shop.visit()["cart_value"], shop.visit()["cart_currency"]) == (99, "CHF"))
    page.evaluate("publish('checkout_completed', '/checkouts/cn/secret/thank-you')")
    shop.until(lambda: shop.visit()["cart_value"] == 0)
    assert [event["cv"] for event in shop.events() if "cv" in event] == [120.5, 99]
    assert "secret" not in str(shop.beacons())


def test_pages_of_the_shop_are_left_to_the_theme(shop, page):
    open_checkout(shop, page)
    page.evaluate("publish('page_viewed', '/products/mug'); publish('clicked', '/products/mug')")
    page.evaluate("publish('page_viewed', '/checkouts/cn/secret')")
    shop.until_paths("/checkout")


@pytest.mark.parametrize("is_own", [False, True], ids=["opt-out", "own visits"])
def test_opt_out_and_the_link_for_own_visits_hold_in_the_checkout(shop, page, is_own):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    if is_own:
        page.goto(shop.url("/p1?visitor-monitor=own"))
    else:
        page.evaluate("visitorMonitor('optOut')")
    open_checkout(shop, page)
    page.evaluate("publish('page_viewed', '/checkouts/cn/secret')")
    page.wait_for_timeout(300)
    # That the first page was left may be told as late as that.
    assert [event["u"] for event in shop.events("v")] == ["/p1"]


def test_request_that_the_browser_abandons_blocks_nothing(shop, page):
    page.clock.install()
    page.add_init_script("""const plain = window.fetch;
        window.fetch = () => new Promise(() => (window.fetch = plain));""")
    open_checkout(shop, page)
    page.evaluate("publish('page_viewed', '/checkouts/cn/secret')")
    page.wait_for_timeout(300)
    page.clock.run_for(20_000)  # the next presence
    shop.until_paths("/checkout")
