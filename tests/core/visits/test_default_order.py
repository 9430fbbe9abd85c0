"""The default order of the live list."""

import random
from datetime import timedelta

import pytest

from core.database import reading
from core.enrich.page_context import PageContext
from core.visits.default_order import CONTEXT_ORDER
from core.visits.live_visits import live_visits


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


@pytest.mark.parametrize("seed", range(3))
def test_database_orders_random_visits_by_the_rules_one_by_one(
    database, store, make_visit, now, seed
):
    chance = random.Random(seed)
    visits = [
        make_visit(
            f"{chance.choice('aB9_')}{number}",
            site_id=chance.choice([7, 8]),
            last_activity_at=now - timedelta(seconds=chance.choice([-60, 0, 30, 599, 600, 601])),
            started_at=now - timedelta(hours=1),
            in_view_until=now + timedelta(seconds=chance.choice([-1, 0, 1])),
            page_context=chance.choice([*PageContext, "Wishlist"]),
        )
        for number in range(200)
    ]
    store(*visits, make_visit("same"), make_visit("same", site_id=8))

    def place(visit):
        known = visit.page_context if visit.page_context in list(PageContext) else ""
        return (
            now - visit.last_activity_at >= timedelta(minutes=10),
            CONTEXT_ORDER.index(PageContext(known)),
            not now < visit.in_view_until,
            now - visit.last_activity_at,
            visit.id.encode(),
            visit.site_id,
        )

    visits = [*visits, make_visit("same"), make_visit("same", site_id=8)]
    expected = [(visit.site_id, visit.id) for visit in sorted(visits, key=place)]
    with reading(database) as db:
        for most in (None, 1, 20, 120, 201, 202, 500):
            rows = live_visits(db, [7, 8], now, most)
            assert [(row.site_id, row.id) for row in rows] == expected[:most]
