"""The default order of the live list."""

from core.enrich.page_context import PageContext
from core.visits.default_order import CONTEXT_ORDER, DEFAULT_ORDER


def test_contexts_nearest_to_buying_come_first_and_buyers_who_have_paid_last():
    assert [context.value for context in CONTEXT_ORDER] == [
        "In Checkout",
        "Cart",
        "Product",
        "Collection",
        "Search",
        "",
        "Purchased",
    ]


def test_every_context_has_a_place_in_the_order():
    assert set(CONTEXT_ORDER) == set(PageContext)


def test_order_is_dim_last_then_context_then_in_view_then_freshest_then_id():
    assert list(DEFAULT_ORDER.items()) == [
        ("dim", True),
        ("page_context", True),
        ("in_view", False),
        ("last_activity_at", False),
        ("id", True),
    ]
