"""What the cart is worth, from event to event."""

import pytest

from core.visits.hit import Cart, Event, EventKind, Opening
from core.visits.visit import advance, heal_clock, open_visit
from core.visits.visit_rows import VisitRows

START = 1_763_800_000_000
SECOND = 1_000
WORTH = Cart(120.5, "EUR")


class CartStory:
    """A visit that was opened by a page view of "/" in tab `t1`."""

    def __init__(self):
        self.first = self._event(EventKind.VIEW, 1)
        self.visit = open_visit(7, "visit", self.first, Opening())
        self.numbers = {}
        self.take("t1", EventKind.VIEW)

    def _event(self, kind, number, after=0, **fields):
        at = START + after * SECOND
        return Event(kind, number, at, at, path="/", focused=True, **fields)

    def take(self, tab="t1", kind=EventKind.PRESENCE, after=0, **fields):
        """The cart, once the tab's next event has come."""
        self.numbers[tab] = self.numbers.get(tab, 0) + 1
        event = self._event(kind, self.numbers[tab], after, **fields)
        advance(self.visit, tab, event, VisitRows())
        return self.visit.cart_value, self.visit.cart_currency


@pytest.fixture
def story():
    return CartStory()


@pytest.mark.parametrize("kind", [EventKind.VIEW, EventKind.PRESENCE, EventKind.HIDDEN])
def test_cart_holds_until_another_worth_is_told(story, kind):
    assert story.take(kind=kind, cart=WORTH) == (120.5, "EUR")
    assert story.take(kind=EventKind.VIEW, context="Product") == (120.5, "EUR")
    assert story.take("t2", EventKind.VIEW) == (120.5, "EUR")
    assert story.take(cart=Cart(80, "USD")) == (80, "USD")


def test_nothing_in_the_cart_empties_it(story):
    story.take(cart=WORTH)

    assert story.take(cart=Cart(0, "EUR")) == (0, "")


@pytest.mark.parametrize("kind", [EventKind.VIEW, EventKind.PRESENCE])
def test_order_that_is_placed_ends_the_cart_whatever_its_page_tells(story, kind):
    story.take(cart=WORTH)

    assert story.take(kind=kind, context="Purchased", sets_context=True, cart=WORTH) == (0, "")


def test_page_of_an_order_that_stays_open_empties_no_new_cart(story):
    story.take(kind=EventKind.VIEW, context="Purchased")
    story.take("t2", EventKind.VIEW, after=1, cart=WORTH)

    assert story.take(after=2, context="Purchased") == (120.5, "EUR")
    assert story.take(kind=EventKind.VIEW, after=3, context="Purchased") == (0, "")


def test_page_of_an_order_brings_no_cart_back_later(story):
    story.take(cart=WORTH)
    story.take(kind=EventKind.VIEW, after=1, context="Purchased")

    assert story.take(after=2, context="Purchased", sets_context=True, cart=WORTH) == (0, "")
    assert story.take("t2", after=3, cart=Cart(80, "EUR")) == (80, "EUR")
    assert story.take(kind=EventKind.VIEW, after=4, cart=WORTH) == (120.5, "EUR")


def test_what_a_slow_tab_told_earlier_changes_nothing(story):
    story.take("t2", EventKind.VIEW, after=5, cart=WORTH)

    assert story.take(after=4, cart=Cart(80, "EUR")) == (120.5, "EUR")
    assert story.take(after=5, cart=Cart(80, "EUR")) == (80, "EUR")


def test_delivery_that_is_repeated_brings_no_older_cart_back(story):
    story.take(cart=WORTH)
    story.take(cart=Cart(80, "EUR"))
    story.numbers["t1"] = 1

    assert story.take(cart=WORTH) == (80, "EUR")


def test_cart_told_while_the_clock_ran_ahead_is_no_last_word(story):
    story.take(after=3_600, cart=WORTH)
    heal_clock(story.visit, START)

    assert story.take(after=1, cart=Cart(80, "EUR")) == (80, "EUR")
