"""What of a visit's changes its page views do not tell: so that a past moment can be shown as it was.

The current page at a moment is that of the newest page view or change up to it. Of the same moment a page that became
the current one beats what a view was shown with, and that the view; the higher number the lower.
"""

from __future__ import annotations

from operator import attrgetter

import msgspec

from core.visits.presence import ChangeKind
from core.visits.tab_state import TabState
from core.visits.tracked_visit import TrackedVisit
from core.visits.visit_rows import ChangeRow, PageText, VisitRows

_encode = msgspec.json.Encoder().encode


page_texts = attrgetter("current_path", "current_title", "page_context")
"""What the visit's current page says of itself, to be compared: each event asks twice."""


def current_page(visit: TrackedVisit) -> PageText:
    """What the visit's current page says of itself."""
    return PageText(*page_texts(visit))


def note_page(visit: TrackedVisit, at: int, rows: VisitRows) -> None:
    """From this moment on the current page was what it is now; not before what is told of it already."""
    at = visit.memory.told_at = max(at, visit.memory.told_at)
    _add(visit, ChangeRow(0, ChangeKind.PAGE, at, current_page(visit)), rows)


def note_first_shown(visit: TrackedVisit, tab: TabState, rows: VisitRows) -> None:
    """Before a page view is corrected for the first time: what it was shown with."""
    if tab.page_at and not tab.is_corrected:
        page = PageText(tab.path, tab.title, tab.context)
        _add(visit, ChangeRow(0, ChangeKind.SHOWN, tab.page_at, page), rows)
    tab.is_corrected = True


def note_attributes(visit: TrackedVisit, at: int, rows: VisitRows) -> None:
    """From this moment on the visit's attributes were these."""
    told = _encode(visit.attributes).decode()
    _add(visit, ChangeRow(0, ChangeKind.ATTRIBUTES, at, told=told), rows)


def note_cart(visit: TrackedVisit, at: int, rows: VisitRows) -> None:
    """From this moment on the cart was worth this."""
    told = _encode({"value": visit.cart_value, "currency": visit.cart_currency}).decode()
    _add(visit, ChangeRow(0, ChangeKind.CART, at, told=told), rows)


def note_country(visit: TrackedVisit, at: int, rows: VisitRows) -> None:
    """Until this moment the visit's country was not known."""
    _add(visit, ChangeRow(0, ChangeKind.COUNTRY, at), rows)


def _add(visit: TrackedVisit, change: ChangeRow, rows: VisitRows) -> None:
    visit.memory.change_count += 1
    rows.changes.append(change._replace(number=visit.memory.change_count))
