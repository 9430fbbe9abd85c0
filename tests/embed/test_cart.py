"""visitorMonitor('context', word, {value, currency}): what the cart is worth."""

import pytest

TELL = "visitorMonitor('context', 'cart', {value: 120.5, currency: 'EUR'})"
STUB = (
    "<script>window.visitorMonitor = window.visitorMonitor || function () "
    "{ (visitorMonitor.q = visitorMonitor.q || []).push(arguments) }; %s</script>"
)


def cart(shop):
    visit = shop.visit()
    return visit["cart_value"], visit["cart_currency"]


def test_cart_told_before_the_script_loads_comes_with_the_first_view(shop, page):
    shop.pages["/basket"] = f"<title>Basket</title>{STUB % TELL}{{tag}}"
    page.goto(shop.url("/basket"))
    shop.until_paths("/basket")
    assert cart(shop) == (120.5, "EUR")
    assert shop.visit()["page_context"] == "Cart"
    page.goto(shop.url("/products/mug"))
    shop.until_paths("/basket", "/products/mug")
    assert cart(shop) == (120.5, "EUR")


def test_cart_that_changes_is_told_once_each_time(shop, page):
    page.goto(shop.url("/cart"))
    shop.until_paths("/cart")
    page.evaluate("visitorMonitor('context', '', {value: '99.90', currency: 'CHF'})")
    shop.until(lambda: cart(shop) == (99.9, "CHF"))
    page.evaluate("visitorMonitor('chat', 'start'); visitorMonitor('page')")
    shop.until(lambda: len(shop.views()) == 2)
    assert [event["cv"] for event in shop.events() if "cv" in event] == ["99.90"]
    assert shop.visit()["page_context"] == "Cart"
    page.evaluate("visitorMonitor('context', '', {value: 0})")
    shop.until(lambda: cart(shop) == (0, ""))


def test_cart_told_on_a_hidden_page_waits_until_it_is_seen(shop, tabs):
    shop.head = (
        f"<script>addEventListener('visibilitychange', () => document.hidden && {TELL})</script>"
    )
    tab = tabs.open(shop.url("/cart"))
    shop.until_paths("/cart")
    shop.head = ""
    tabs.open(shop.url("/other"))
    shop.until_paths("/cart", "/other")
    shop.until_event("h")
    assert cart(shop) == (0, "")
    tabs.show(tab)
    shop.until(lambda: cart(shop) == (120.5, "EUR"))


def test_cart_told_before_consent_is_kept_for_it(shop, page):
    shop.attributes = 'data-consent="required"'
    page.goto(shop.url("/p1"))
    page.evaluate(TELL)
    page.evaluate("visitorMonitor('consent', true)")
    shop.until_paths("/p1")
    assert cart(shop) == (120.5, "EUR")


@pytest.mark.parametrize(
    "worth",
    [
        "{value: NaN, currency: 'EUR'}",
        "{value: Infinity, currency: 'EUR'}",
        "{value: -5, currency: 'EUR'}",
        "{value: '120,50', currency: 'EUR'}",
        "{value: '9'.repeat(99999), currency: 'EUR'}",
        "{value: {}, currency: []}",
        "{value: null}",
        "{currency: 'EUR'}",
        "{value: Symbol(), currency: Symbol()}",
        "{value: {toString() { throw 1 }}}",
        "{get value() { throw 1 }}",
        "{value: window, currency: window}",
        "null",
        "120.5",
    ],
)
def test_value_that_is_no_amount_takes_nothing_with_it(shop, page, worth):
    page.goto(shop.url("/p1"))
    shop.until_paths("/p1")
    page.evaluate(f"visitorMonitor('context', 'cart', {worth})")  # throws nothing
    shop.until(lambda: shop.visit()["page_context"] == "Cart")
    assert cart(shop) == (0, "")
    assert {passage.status for passage in shop.passages() if passage.is_beacon} <= {0, 200}


def test_order_that_is_placed_ends_the_cart(shop, page):
    shop.head = STUB % TELL
    page.goto(shop.url("/cart"))
    shop.until(lambda: shop.visits() and cart(shop) == (120.5, "EUR"))
    page.evaluate("visitorMonitor('context', 'purchased')")
    shop.until(lambda: cart(shop) == (0, ""))
