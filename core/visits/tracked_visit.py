"""A visit as the collector holds it. Moments here are whole milliseconds since the epoch."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from core.visits.hit import Opening
from core.visits.tab_state import Memory


class Entry(Struct, frozen=True, gc=False):
    """What a visit keeps from the page view that opened it: it never changes."""

    path: str
    follows: str
    opening: Opening


class TrackedVisit(Struct, gc=False):
    """The columns of the table `visit` that may change, its keys, and what is remembered of it.

    number: of the site's visits it is the first, the second ...; 0 until it is stored. entry: set on a visit
    that is new, and not stored yet. stored, stored_memory: what the columns that may change, and
    its memory, hold in the database, as whoever has read or written them there compares them; empty for a new visit.
    """

    started_at: int
    last_seen_at: int
    last_activity_at: int
    in_view_until: int
    page_count: int
    current_path: str
    current_title: str
    page_context: str
    country: str
    time_zone: str
    attributes: dict[str, str]
    cart_value: float
    cart_currency: str
    visit_number: int
    chat_source: str
    chat_started_at: int | None
    chat_message_at: int | None
    memory: Memory
    site_id: int
    id: str
    number: int = 0
    entry: Entry | None = None
    stored: tuple[Any, ...] = ()
    stored_memory: str = ""
