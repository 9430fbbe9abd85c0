"""What a page means to a shop: the context badge."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from core.enrich import page_words as words
from core.enrich.page_url import LONGEST_PART, PageUrl, query_of_url, read_page_url
from core.enrich.readable_path import readable_path
from core.enrich.text import LONGEST_PATH_SENT, clean, clean_path
from core.enrich.url import split_url

LONGEST_PATTERN = 200


class PageContext(StrEnum):
    """The badges, as they are shown."""

    IN_CHECKOUT = "In Checkout"
    CART = "Cart"
    PRODUCT = "Product"
    COLLECTION = "Collection"
    SEARCH = "Search"
    PURCHASED = "Purchased"
    NONE = ""


CONTEXT_WORDS = {
    "checkout": PageContext.IN_CHECKOUT,
    "cart": PageContext.CART,
    "product": PageContext.PRODUCT,
    "collection": PageContext.COLLECTION,
    "search": PageContext.SEARCH,
    "purchased": PageContext.PURCHASED,
    "none": PageContext.NONE,
}


@dataclass(frozen=True, slots=True)
class ContextRule:
    """A site owner's rule: pages whose path fits the pattern have this context.

    `*` in the pattern stands for any text. A pattern without one is one page; "/sale/*" is /sale
    and everything below it; "*/sale" is every path that ends so. Capital letters and a slash at
    the end make no difference. With a "?" the pattern is compared with path and query.
    """

    pattern: str
    context: PageContext


def make_rule(pattern: str, context: str) -> ContextRule:
    """A rule from what an owner typed; `context` is a label or a word of the beacon ("cart").

    Raises ValueError, its text in plain words for the owner.
    """
    pattern = readable_path(clean(pattern, LONGEST_PATH_SENT), LONGEST_PATTERN + 1)
    if not pattern:
        raise ValueError("Write a path, for example /sale/*")
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"Use at most {LONGEST_PATTERN} characters")
    if "://" in pattern:
        raise ValueError("Write only what follows the domain, for example /sale/*")
    if not pattern.startswith(("/", "*")):
        raise ValueError(f"Begin with a slash: /{pattern}")
    if "#" in pattern:
        raise ValueError("Leave out # and what follows it: rules look at the path")
    labels = {label.value.lower(): label for label in PageContext if label}
    found = {**CONTEXT_WORDS, **labels}.get(context.strip().lower())
    if found is None:
        raise ValueError(f"{context!r} is no context: choose one of {', '.join(CONTEXT_WORDS)}")
    return ContextRule(pattern, found)


def find_context(
    path: str,
    query: str = "",
    *,
    own: str = "",
    signal: str = "",
    rules: Sequence[ContextRule] = (),
) -> PageContext:
    """The context of a page view.

    `path` may carry the query keys that the site allows ("/list?view=grid"), `query` is the
    beacon's `q` ("route=product/product&product_id", "q&type", "#!/~/cart"). Tried in this order:
    the page's `own` word, the owner's rules (the first that fits), a `signal` read from the page,
    the built-in rules. The word "none" says that there is no context; unknown words say nothing.
    """
    if (word := own.strip().lower()) in CONTEXT_WORDS:
        return CONTEXT_WORDS[word]
    for rule in rules:
        if path_fits(rule.pattern, path):
            return rule.context
    if (word := signal.strip().lower()) in CONTEXT_WORDS:
        return CONTEXT_WORDS[word]
    return _built_in_context(path[:LONGEST_PART], query[:LONGEST_PART])


def context_of_url(url: str, rules: Sequence[ContextRule] = ()) -> PageContext:
    """The context of a page by its address as typed: whole, without https://, or the path alone."""
    text = url.strip()
    if "://" not in text:
        has_host = "." in text.partition("/")[0] and "/" in text
        text = f"https://{text}" if has_host else f"https://site.example/{text.lstrip('/')}"
    parts = split_url(text)
    if parts is None:
        return PageContext.NONE
    return find_context(
        clean_path(parts.path or "/"), query_of_url(parts.query, parts.fragment), rules=rules
    )


# --- owner's rules


def path_fits(pattern: str, path: str) -> bool:
    """Whether a path, perhaps with its query, fits the pattern of a `ContextRule`."""
    return _fits(pattern.lower(), path.lower())


def _fits(pattern: str, path: str) -> bool:
    if "?" not in pattern:
        path = path.partition("?")[0]
    path = path.rstrip("/") or "/"
    if pattern.endswith("/*") and path == pattern[:-2]:
        return True
    return _matches(pattern if pattern == "/" else pattern.rstrip("/"), path)


def _matches(pattern: str, text: str) -> bool:
    """Whether the text fits a pattern with `*`. Linear: each piece at its first possible place."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *middle, last = rest
    if not text.startswith(first):
        return False
    at = len(first)
    for piece in middle:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return len(text) - at >= len(last) and text.endswith(last)


# --- built-in rules: the first that holds decides


@lru_cache(maxsize=2_048)
def _built_in_context(path: str, query: str) -> PageContext:
    page, app_page = read_page_url(path, query)
    if app_page is not None:
        found = _context_of(app_page)
        # Ecwid's own pages (#!/~/...) replace what the path shows.
        if found or app_page.is_widget:
            return found
    return _context_of(page)


def _context_of(page: PageUrl) -> PageContext:
    return next((context for holds, context in _RULES if holds(page)), PageContext.NONE)


def _is_purchased(page: PageUrl) -> bool:
    head = page.head
    if head in words.THANKS or (head == "order" and page.second == "confirm"):
        return True
    if page.is_numbered and head == "orders":  # Shopify's order status: /<shop>/orders/<token>
        return len(page.segments) > 1
    if head in words.CHECKOUT or head in ("order", "orders", "cart", "paypal", "commerce"):
        return not words.DONE.isdisjoint(page.segments[1:]) or page.step in words.DONE
    return False


def _is_cart(page: PageUrl) -> bool:
    head, second = page.head, page.second
    if head in words.CHECKOUT or head == "commerce":
        return second in words.CART or second in words.CART_ALONE
    if head in words.CART_ALONE:
        return not second
    return head in words.CART and second not in words.CHECKOUT


def _is_checkout(page: PageUrl) -> bool:
    head, second = page.head, page.second
    if head in words.CHECKOUT_ALONE:
        return not second
    if head in words.CART or head == "commerce":
        return second in words.CHECKOUT
    if head == "paypal":
        return second == "express"
    # OpenCart's extensions: route=extension/quickcheckout/checkout
    return head in words.CHECKOUT or (page.is_route and "checkout" in page.segments)


def _is_collection_by_key(page: PageUrl) -> bool:
    if page.is_search_key_used or (page.head in words.PRODUCT and page.second):
        return False
    if "cgid" in page.keys:
        return "pid" not in page.keys
    if not page.is_front:
        return False
    return page.value("post_type") == "product" or (
        "path" in page.keys and not {"product_id", "product"} & page.keys.keys()
    )


def _is_search(page: PageUrl) -> bool:
    head = page.head
    if head in words.SEARCH or (head in words.PRODUCT and page.second == "search"):
        return True
    if head == "catalog" and page.second in words.SEARCH:
        return True
    if not page.is_search_key_used:
        return False
    if page.is_front or head in words.SEARCH_WITH_KEY:
        return True
    # Shopify lists a maker's goods at /collections/vendors?q=Acme.
    return _is_collection(page) and page.second not in ("vendors", "types")


_SHELVES = words.COLLECTION | {"page", "all"}
_NO_PRODUCT = _SHELVES | {"compare"}
# PrestaShop's "12-34-blue-mug.html".
_PRODUCT_FILE = re.compile(r"\d+-(?:\d+-)?\w.*\.html")
# Salesforce's "25697194M.html", Ecwid's "Apple-p37484301".
_PRODUCT_CODE_FILE = re.compile(r"(?=[^.]*\d)[\w-]+\.html")
_ECWID_PRODUCT = re.compile(r".+-p\d{5,}")
_ECWID_COLLECTION = re.compile(r".+-c\d{5,}")
# PrestaShop's "3-clothes".
_COLLECTION_SLUG = re.compile(r"\d+-[^\W\d][\w-]*")


def _is_product(page: PageUrl) -> bool:
    head, second = page.head, page.second
    if head in words.EDITORIAL:
        return False
    if head in words.PRODUCT and (second or {"pid", "product_id", "product"} & page.keys.keys()):
        return second not in _NO_PRODUCT
    if head in ("collections", "collection") and "products" in page.segments[1:-1]:
        return True
    if head == "catalog" and second == "product":
        return page.segments[2:3] == ("view",)
    if second == "dp":  # Amazon's /<title>/dp/<number>
        return len(page.segments) > 2
    if page.is_front and {"product", "product_id"} & page.keys.keys():
        return True
    if _PRODUCT_FILE.fullmatch(page.file):
        return any(char.isalpha() for char in page.file.removesuffix(".html"))
    if _ECWID_PRODUCT.fullmatch(page.file):
        return True
    return page.is_site_path and _PRODUCT_CODE_FILE.fullmatch(page.file) is not None


def _is_collection(page: PageUrl) -> bool:
    head, second = page.head, page.second
    if page.is_in_shop and head == "page":  # WooCommerce: /shop/page/2
        return True
    if head in words.EDITORIAL:
        return False
    if head in words.COLLECTION:
        return not second.startswith("product_")  # Magento's catalog/product_compare
    if head in words.PRODUCT and second in _SHELVES:
        return True
    if not second and head in words.COLLECTION_ALONE:
        return True
    if head in words.COLLECTION_OF:
        return bool(second)
    if page.is_in_shop:
        return True
    if _ECWID_COLLECTION.fullmatch(page.file):
        return True
    return not second and _COLLECTION_SLUG.fullmatch(page.file) is not None


_RULES = (
    (_is_purchased, PageContext.PURCHASED),
    (_is_cart, PageContext.CART),
    (_is_checkout, PageContext.IN_CHECKOUT),
    (_is_collection_by_key, PageContext.COLLECTION),
    (_is_search, PageContext.SEARCH),
    (_is_product, PageContext.PRODUCT),
    (_is_collection, PageContext.COLLECTION),
)
