"""What kind of page it is: from the query, and from the signals of shop platforms."""

import pytest


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/products/blue-tee", "Product"),
        ("/index.php?route=product/product&product_id=43", "Product"),
        ("/index.php?route=checkout/cart", "Cart"),
        ("/index.php?controller=order-confirmation", "Purchased"),
        ("/?s=mug&post_type=product", "Search"),
        ("/?post_type=product&s=", "Collection"),
        ("/store#!/~/cart", "Cart"),
        ("/app#/checkout?token=secret", "In Checkout"),
        ("/productivity", ""),
    ],
)
def test_address_gives_the_context(shop, page, path, expected):
    page.goto(shop.url(path))
    shop.until(lambda: shop.paths())
    assert shop.views()[0]["page_context"] == expected
    assert "secret" not in str(shop.beacons())
    assert "mug" not in str(shop.beacons())


SIGNALS = [
    ("checkout", "<script>window.__st = {p: 'cart'}</script>", "", "cart"),
    (
        "shopify",
        "<script>window.ShopifyAnalytics = {meta: {page: {pageType: 'product'}}}</script>",
        "",
        "product",
    ),
    ("shopify search", "<script>window.__st = {a: 1, p: 'searchresults'}</script>", "", "search"),
    ("shopify article", "<script>window.__st = {a: 1, p: 'article'}</script>", "", "none"),
    ("woocommerce cart", "", "class='theme-x woocommerce-cart woocommerce-page'", "cart"),
    (
        "woocommerce thanks",
        "",
        "class='woocommerce-checkout woocommerce-order-received'",
        "purchased",
    ),
    ("woocommerce category", "", "class='archive tax-product_cat term-9'", "collection"),
    (
        "woocommerce product",
        "",
        "class='product-template-default single single-product'",
        "product",
    ),
    ("magento product", "", "class='page-product catalog-product-view'", "product"),
    ("magento checkout", "", "class='checkout-index-index page-layout-checkout'", "checkout"),
    ("magento thanks", "", "class='checkout-onepage-success'", "purchased"),
    ("shopware cart", "", "class='is-ctl-checkout is-act-cartpage'", "cart"),
    ("shopware confirm", "", "class='is-ctl-checkout is-act-confirmpage'", "checkout"),
    ("shopware home", "", "class='is-ctl-navigation is-act-home'", "none"),
    (
        "prestashop category",
        "<script>window.prestashop = {}</script>",
        "id='category'",
        "collection",
    ),
    ("id alone", "", "id='category'", None),
    (
        "ga4 object",
        "<script>dataLayer = [{event: 'gtm.js'}, {event: 'begin_checkout'}]</script>",
        "",
        "checkout",
    ),
    (
        "ga4 gtag",
        "<script>dataLayer = []; (function () { dataLayer.push(arguments) })('event', 'view_item', {})</script>",
        "",
        "product",
    ),
    (
        "ga4 strongest",
        "<script>dataLayer = [{event: 'view_item'}, {event: 'view_item_list'}]</script>",
        "",
        "product",
    ),
    (
        "ga4 odd",
        "<script>dataLayer = [null, 7, 'x', {event: {}}, [], {event: 'purchase'}]</script>",
        "",
        "purchased",
    ),
    (
        "json-ld",
        """<script type="application/ld+json">{"@graph": [{"@type": "BreadcrumbList"}, {"@type": ["Product"]}]}</script>""",
        "",
        "product",
    ),
    (
        "json-ld list",
        """<script type="application/ld+json">[{"@type": "Product"}, {"@type": "Product"}]</script>""",
        "",
        "collection",
    ),
    (
        "json-ld broken",
        """<script type="application/ld+json">{oops</script><meta property="og:type" content="product">""",
        "",
        "product",
    ),
    ("og", '<meta property="og:type" content="product.group">', "", "collection"),
    ("nothing", '<meta property="og:type" content="website">', "", None),
]


@pytest.mark.parametrize(
    ("head", "body", "word"), [row[1:] for row in SIGNALS], ids=[row[0] for row in SIGNALS]
)
def test_signals_of_the_page(shop, page, head, body, word):
    shop.attributes = 'data-signals="yes"'
    shop.pages["/x"] = f"<title>X</title>{head}{{tag}}<body {body}>x"
    page.goto(shop.url("/x"))
    shop.until_paths("/x")
    assert shop.events("v")[0].get("xs") == word


def test_signal_becomes_the_context(shop, page):
    shop.attributes = 'data-signals="yes"'
    shop.pages["/x"] = "<title>X</title>{tag}<body class='woocommerce-cart'>x"
    page.goto(shop.url("/x"))
    shop.until_paths("/x")
    assert shop.visit()["page_context"] == "Cart"


def test_data_layer_of_an_earlier_route_says_nothing(shop, page):
    shop.attributes = 'data-signals="yes"'
    shop.head = "<script>dataLayer = [{event: 'view_item'}]</script>"
    page.goto(shop.url("/x"))
    shop.until_paths("/x")
    page.evaluate("history.pushState({}, '', '/y')")
    shop.until_paths("/x", "/y")
    page.evaluate("history.pushState({}, '', '/z'); dataLayer.push({event: 'view_cart'})")
    shop.until_paths("/x", "/y", "/z")
    assert [view["page_context"] for view in shop.views()] == ["Product", "", "Cart"]


def test_signals_are_not_loaded_unless_asked(shop, page):
    page.goto(shop.url("/x"))
    shop.until_paths("/x")
    assert not any("signals" in passage.path for passage in shop.passages())


def test_signals_that_do_not_load_hold_nothing_back(shop, page):
    shop.attributes = 'data-signals="yes"'
    page.route("**/visitor-monitor-signals.js", lambda route: route.abort())
    page.goto(shop.url("/x"))
    shop.until_paths("/x")


def test_signals_that_never_come_hold_nothing_back(shop, page):
    shop.attributes = 'data-signals="yes"'
    page.route("**/visitor-monitor-signals.js", lambda route: None)
    page.goto(shop.url("/x"))
    shop.until_paths("/x")


def test_signals_replace_nothing(shop, page):
    shop.attributes = 'data-signals="yes"'
    shop.head = "<script>dataLayer = []; window.push = dataLayer.push</script>"
    page.goto(shop.url("/x"))
    shop.until_paths("/x")
    assert page.evaluate("dataLayer.push === window.push && Object.keys(dataLayer).length === 0")
