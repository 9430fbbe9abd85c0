"""The colours of a visitor's status and of a page's context, once for every page."""

from __future__ import annotations

from core.enrich.page_context import PageContext
from core.visits.presence import Status
from pages.parts.table.component import Colour

STATUS_COLOURS = {
    Status.CHATTING.value: Colour("#2563eb"),
    Status.BROWSING.value: Colour("#22a957", text="#03160b"),
}

CONTEXT_COLOURS = {
    PageContext.IN_CHECKOUT.value: Colour("#f5b316", text="#231700"),
    PageContext.CART.value: Colour("#c2410c"),
    PageContext.PRODUCT.value: Colour("#7e22ce"),
    PageContext.COLLECTION.value: Colour("#4338ca"),
    PageContext.SEARCH.value: Colour("#38bdf8", text="#04202e"),
    PageContext.PURCHASED.value: Colour("#15803d"),
}
"""Amber, orange, purple, indigo, sky blue, green; the text on each has a contrast of 4.5:1 or
more (tests/pages/live/test_columns.py)."""
