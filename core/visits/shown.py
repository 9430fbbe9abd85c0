"""What the pages show of a visit, to tell a change that they must follow from one that they need not."""

from __future__ import annotations

from typing import Any

from core.moment import milliseconds
from core.visits.labels import MINUTE
from core.visits.liveness import is_in_view
from core.visits.tracked_visit import TrackedVisit

_MINUTE = milliseconds(MINUTE)


def shown_of(visit: TrackedVisit, now: int) -> tuple[Any, ...]:
    """What is on a page of this visit at `now` (milliseconds), to be compared with what was on it.

    Lengths of time are left out: they tick in the browser. So presence that only prolongs a visit
    changes nothing, and activity only what is written for the minutes since.
    """
    return (
        is_in_view(visit, now),
        (now - visit.last_activity_at) // _MINUTE,
        visit.page_count,
        visit.current_path,
        visit.current_title,
        visit.page_context,
        visit.country,
        visit.time_zone,
        tuple(visit.attributes.items()),
        visit.cart_value,
        visit.cart_currency,
        visit.visit_number,
        visit.chat_source,
        visit.chat_started_at,
        visit.chat_message_at,
    )
