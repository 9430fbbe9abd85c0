"""What the visitor's cart is worth, as the pages told it."""

from __future__ import annotations

from core.enrich.page_context import PageContext
from core.visits.hit import Cart, Event, EventKind
from core.visits.tab_state import TabState
from core.visits.tracked_visit import TrackedVisit
from core.visits.visit_changes import note_cart
from core.visits.visit_rows import VisitRows

_EMPTY = Cart(0.0, "")
_PURCHASED = PageContext.PURCHASED


def keep_cart(
    visit: TrackedVisit, tab: TabState, event: Event, earlier_context: str, rows: VisitRows
) -> None:
    """Set the cart's worth to what the event tells; other events leave it as it is.

    So it holds while the visitor goes on to pages that tell none, until another worth is told, 0, or
    a page is shown on which the order is placed. Such a page that stays open empties nothing later,
    and tells of no cart; what a slow tab told earlier changes nothing. earlier_context: of the tab,
    before the event.
    """
    cart = _told_by(tab, event, earlier_context)
    if cart is None or event.at < visit.memory.cart_at:
        return
    visit.memory.cart_at = event.at
    before = (visit.cart_value, visit.cart_currency)
    visit.cart_value = cart.value
    visit.cart_currency = cart.currency if cart.value else ""
    if (visit.cart_value, visit.cart_currency) != before:
        note_cart(visit, event.at, rows)


def _told_by(tab: TabState, event: Event, earlier_context: str) -> Cart | None:
    if tab.context != _PURCHASED:
        return event.cart
    is_new = event.kind is EventKind.VIEW or earlier_context != _PURCHASED
    return _EMPTY if is_new else None
