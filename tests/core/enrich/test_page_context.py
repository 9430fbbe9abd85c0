import csv
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.enrich.page_context import (
    ContextRule,
    PageContext,
    context_of_url,
    find_context,
    make_rule,
    path_fits,
)

ROWS = list(csv.DictReader((Path(__file__).parent / "data" / "context_urls.csv").open()))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["url"])
def test_url_has_a_context(row: dict[str, str]) -> None:
    assert context_of_url(row["url"]) == PageContext(row["expected"])


@pytest.mark.parametrize(
    ("path", "query", "context"),
    [
        ("/", "s", "Search"),
        ("/", "s=mug", "Search"),
        ("/", "s=", ""),
        ("/", "q&post_type=product", "Search"),
        ("/", "post_type=product", "Collection"),
        ("/", "post_type=product&s=", "Collection"),
        ("/?s=mug", "", "Search"),
        ("/search", "", "Search"),
        ("/index.php", "route=product/product&path&product_id", "Product"),
        ("/index.php", "route=product%2Fcategory&path", "Collection"),
        ("/index.php", "path", "Collection"),
        ("/index.php", "path&product_id", "Product"),
        ("/index.php", "controller=order&step=3", "In Checkout"),
        ("/checkout", "step=thank_you", "Purchased"),
        ("/s/RefArch/search", "cgid", "Collection"),
        ("/s/RefArch/search", "cgid&q", "Search"),
        ("/store", "#!/~/cart", "Cart"),
        ("/store", "q&x#!/~/checkoutPD", "In Checkout"),
        ("/store", "#!/", "Collection"),
        ("/", "#/products/mug", "Product"),
        ("/", "#products/mug", ""),
        ("/cart", "#/nothing", "Cart"),
    ],
)
def test_query_as_the_beacon_sends_it_counts(path: str, query: str, context: str) -> None:
    assert find_context(path, query) == PageContext(context)


@pytest.mark.parametrize(
    ("path", "context"),
    [
        ("/__ecom/checkout", "In Checkout"),
        ("/__ecom/checkout/thank-you", "Purchased"),
        ("/__ecom/thank-you-page/abc", "Purchased"),
        ("/_app/cart", "Cart"),
        ("/_app/cart/checkout", "In Checkout"),
        ("/_/bag", "Cart"),
        ("/-/cart", "Cart"),
        ("/~store/kasse", "In Checkout"),
        ("/$app/cart", "Cart"),
        ("/.shop/cart", "Cart"),
        ("/secure/checkout", "In Checkout"),
        ("/mobile/cart", "Cart"),
        ("/amp/products/mug", "Product"),
        ("/app/checkout", "In Checkout"),
        ("/web/warenkorb", "Cart"),
        ("/ecom/cart", "Cart"),
        ("/storefront/checkout", "In Checkout"),
        ("/en-gb/_app/cart", "Cart"),
        ("/_app/en-gb/cart", "Cart"),
        ("/shop/_app/v2/checkout", "In Checkout"),
        ("/_app/__ecom/_x/cart", "Cart"),
        ("/v1/cart", "Cart"),
        ("/_app/12345/checkouts/1a2b", "In Checkout"),
        ("/_app/products/mug", "Product"),
        ("/_app/search", "Search"),
        ("/_app", ""),
        ("/__ecom/", ""),
        ("/app", ""),
        ("/_cart", ""),
        ("/_app/cartridges", ""),
        ("/_app/docs/checkout-api", ""),
        ("/docs/_app/cart", ""),
        ("/blog/app/cart", ""),
        ("/application/cart", ""),
    ],
)
def test_technical_prefix_hides_no_page(path: str, context: str) -> None:
    assert find_context(path) == PageContext(context)


@pytest.mark.parametrize(("path", "query"), [("/_app/cart", ""), ("/", "#/_app/cart")])
def test_technical_prefix_hides_no_page_behind_the_hash(path: str, query: str) -> None:
    assert find_context(path, query) == PageContext.CART


@pytest.mark.parametrize(
    ("own", "rule", "signal", "context"),
    [
        ("", "", "", "Product"),
        ("cart", "search", "collection", "Cart"),
        ("", "search", "collection", "Search"),
        ("", "", "collection", "Collection"),
        ("none", "search", "collection", ""),
        ("", "none", "collection", ""),
        ("", "", "none", ""),
        (" Checkout ", "", "", "In Checkout"),
        ("purchased", "", "", "Purchased"),
        ("<b>vip</b>", "", "", "Product"),
        ("", "", "vip", "Product"),
    ],
)
def test_nearest_word_wins(own: str, rule: str, signal: str, context: str) -> None:
    rules = [make_rule("/products/*", rule)] if rule else []
    found = find_context("/products/mug", own=own, signal=signal, rules=rules)
    assert found == PageContext(context)


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/sale", "/sale", True),
        ("/sale", "/sale/", True),
        ("/sale/", "/sale", True),
        ("/sale", "/sale/x", False),
        ("/sale/*", "/sale", True),
        ("/sale/*", "/sale/x/y", True),
        ("/sale/*", "/sales", False),
        ("/sale*", "/sales/x", True),
        ("/Sale/*", "/SALE/X", True),
        ("*/sale", "/de/sale", True),
        ("*/sale", "/de/sale/x", False),
        ("/*/sale/*", "/de/sale/x", True),
        ("/*/sale/*", "/sale/x", False),
        ("/a*a", "/a", False),
        ("/a*a", "/aa", True),
        ("*", "/", True),
        ("/", "/", True),
        ("/", "/x", False),
        ("/*", "/", True),
        ("/[ab]", "/a", False),
        ("/sale", "/sale?view=grid", True),
        ("/page?id=1", "/page?id=1", True),
        ("/page?id=*", "/page", False),
    ],
)
def test_pattern_of_an_owner(pattern: str, path: str, fits: bool) -> None:
    found = find_context(path, rules=[ContextRule(pattern, PageContext.PURCHASED)])
    assert (found is PageContext.PURCHASED) == fits


def test_first_rule_that_fits_decides() -> None:
    rules = [make_rule("/a/b", "cart"), make_rule("/a/*", "In Checkout")]
    assert find_context("/a/b", rules=rules) is PageContext.CART
    assert find_context("/a/c", rules=rules) is PageContext.IN_CHECKOUT
    assert context_of_url("https://shop.example/a/c?x=1", rules) is PageContext.IN_CHECKOUT


@pytest.mark.parametrize(
    ("pattern", "context", "message"),
    [
        ("", "cart", "Write a path"),
        ("\u200b", "cart", "Write a path"),
        ("sale/*", "cart", "Begin with a slash: /sale/"),
        ("https://shop.example/sale", "cart", "what follows the domain"),
        ("/sale#top", "cart", "Leave out #"),
        ("/" + "a" * 200, "cart", "at most 200"),
        ("/sale", "basket", "choose one of checkout, cart"),
        ("/sale", "", "choose one of"),
    ],
)
def test_wrong_rule_is_refused_in_plain_words(pattern: str, context: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_rule(pattern, context)


@pytest.mark.parametrize(
    ("typed", "context"),
    [
        ("/cart", "Cart"),
        ("cart", "Cart"),
        ("shop.example/cart", "Cart"),
        ("cart.php", "Cart"),
        ("/search?q=mug", "Search"),
        (" https://shop.example/cart ", "Cart"),
        ("https://shop.example", ""),
        ("https://[bad/cart", ""),
        ("", ""),
    ],
)
def test_address_is_tested_as_typed(typed: str, context: str) -> None:
    assert context_of_url(typed) == PageContext(context)


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_nothing_raises(path: str, query: str, word: str) -> None:
    find_context(
        f"/{path}", query, own=word, signal=word, rules=[ContextRule(word, PageContext.CART)]
    )
    find_context(f"/s/{path}.html", f"#!/~/{query}")
    path_fits(word, path)
    context_of_url(path)
    context_of_url(f"https://x.com/{path}?{query}#/{word}")


@pytest.mark.parametrize(
    "path",
    ["/" + "a/" * 20_000, "/" + "-p1" * 20_000, "/" + "1-" * 20_000 + ".html", "/%41" * 20_000,
     "/en" * 20_000, "/shop" * 20_000],
    ids=["segments", "codes", "numbers", "escapes", "locales", "roots"],
)  # fmt: skip
def test_hostile_path_is_quick(path: str) -> None:
    rules = [ContextRule("/" + "*a" * 90, PageContext.CART)] * 20
    started = time.perf_counter()
    find_context(path, "q=1&" * 20_000, rules=rules)
    assert time.perf_counter() - started < 0.5
