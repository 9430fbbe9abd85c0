"""The words of shop URLs, in English and in the languages of the shops that use others."""

import csv
from functools import lru_cache
from importlib import resources
from typing import Any, cast

import pycountry


def _read_words() -> dict[str, frozenset[str]]:
    text = (resources.files("core.enrich") / "data" / "page_words.csv").read_text(encoding="utf-8")
    words: dict[str, set[str]] = {}
    for row in csv.DictReader(text.splitlines()):
        words.setdefault(row["meaning"], set()).add(row["word"])
    return {meaning: frozenset(found) for meaning, found in words.items()}


@lru_cache(maxsize=1)
def locale_codes() -> tuple[frozenset[str], frozenset[str]]:
    """The ISO 639-1 languages and the ISO 3166-1 countries (and "uk"), in lower case."""
    languages = cast("list[Any]", list(pycountry.languages))
    countries = cast("list[Any]", list(pycountry.countries))
    return (
        frozenset(code for item in languages if (code := getattr(item, "alpha_2", ""))),
        frozenset(item.alpha_2.lower() for item in countries) | {"uk"},
    )


_WORDS = _read_words()

# Prefixes under which a shop may live: /demo/..., /shop/..., /app/..., /index.php/...
ROOT = _WORDS["root"]
# A page that says thanks: by itself, or (DONE) as a later step of a checkout or an order.
THANKS = _WORDS["thanks"]
DONE = _WORDS["done"]
# "..._ALONE" count as the whole path only: /bag is a cart, /bag/leather is not.
CART = _WORDS["cart"]
CART_ALONE = _WORDS["cart_alone"]
CHECKOUT = _WORDS["checkout"]
CHECKOUT_ALONE = _WORDS["checkout_alone"]
SEARCH = _WORDS["search"]
# Too common to count without a search key: /results?q=mug.
SEARCH_WITH_KEY = _WORDS["search_with_key"]
# Followed by something: /products/mug.
PRODUCT = _WORDS["product"]
COLLECTION = _WORDS["collection"]
# Followed by something: /c/shoes.
COLLECTION_OF = _WORDS["collection_of"]
COLLECTION_ALONE = _WORDS["collection_alone"]
# Sections in which nothing is sold, whatever their pages are called.
EDITORIAL = _WORDS["editorial"]
