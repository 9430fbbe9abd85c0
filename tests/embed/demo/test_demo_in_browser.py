"""The demo shop in a browser: what it tells, and room for two chats on a phone."""

from datetime import UTC, datetime

import httpx
import pytest
from sqlmodel import col, select

from core.database import open_database, reading, writing
from core.sites import add_site, change_site, existing_site
from core.tables import Visit
from tests.helpers.shop import until

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def engine(collector):
    engine = open_database(collector.url)
    with writing(engine) as db:
        add_site(db, name="Demo", key="demo", now=datetime.now(UTC))
        change_site(db, "demo", chat_button=True)
    # Until it knows the site, the collector refuses its beacons, and a page then sends no more.
    beacon = {"v": 1, "k": "demo", "s": "", "t": "tab1", "b": [{"e": "p", "n": 1, "u": "/"}]}
    address = f"http://127.0.0.1:{collector.port}/v1/beacon"
    until(lambda: httpx.post(address, json=beacon).status_code == 204, lambda: "no site demo")
    yield engine
    engine.dispose()


def test_cart_and_checkout_tell_what_the_cart_is_worth(collector, engine, page):
    def cart():
        with reading(engine) as db:
            is_its = col(Visit.site_id) == existing_site(db, "demo").id
            rows = db.execute(select(Visit).where(is_its, col(Visit.cart_value) > 0)).all()
        return [(row.cart_value, row.cart_currency, row.page_context) for row in rows]

    shop = f"http://127.0.0.1:{collector.port}/demo"
    page.goto(f"{shop}/products/amber-oolong")
    page.click("[data-add]")
    page.goto(f"{shop}/cart")
    until(lambda: cart() == [(12, "EUR", "Cart")], lambda: str(cart()))
    page.click("[data-change='1']:visible")
    until(lambda: cart() == [(24, "EUR", "Cart")], lambda: str(cart()))
    page.goto(f"{shop}/checkout/information")
    until(lambda: cart() == [(24, "EUR", "In Checkout")], lambda: str(cart()))
    page.goto(f"{shop}/checkout/thank-you")
    until(lambda: cart() == [], lambda: str(cart()))


def test_no_chat_covers_the_next_step_of_the_checkout_on_a_phone(collector, engine, page):
    page.set_viewport_size(PHONE)
    page.goto(f"http://127.0.0.1:{collector.port}/demo/checkout/information")
    page.locator("visitor-monitor-chat .pill").wait_for()

    box = page.get_by_role("link", name="Continue to shipping").bounding_box()
    assert box["y"] + box["height"] < PHONE["height"]
    for part in (0.02, 0.5, 0.98):
        at = [box["x"] + box["width"] * part, box["y"] + box["height"] / 2]
        assert page.evaluate("at => document.elementFromPoint(...at).textContent", at) == (
            "Continue to shipping"
        )
    assert page.locator("[data-chat] summary").bounding_box()["y"] > PHONE["height"]
