"""A hit: a beacon that was accepted and enriched, ready to become part of a visit.

Moments here are whole milliseconds since the epoch, as in the tables.
"""

from enum import StrEnum

from msgspec import Struct


class EventKind(StrEnum):
    """What happened in a tab, by the letter that the embed sends."""

    VIEW = "v"
    PRESENCE = "p"
    HIDDEN = "h"
    CHAT = "c"
    IDENTIFY = "i"


class ChatReport(StrEnum):
    """What a third-party chat reports."""

    START = "start"
    MESSAGE = "message"
    END = "end"


class Cart(Struct, frozen=True, gc=False, array_like=True):
    """What a cart is worth: 0 when it is empty. currency: as ISO 4217 writes it, or ""."""

    value: float
    currency: str


class Event(Struct, frozen=True, gc=False, array_like=True):
    """One event of a tab, cleaned; `active_at` is the last interaction that it reports.

    page: the number of the page view that the event speaks of; 0 when the browser does not say it.
    """

    kind: EventKind
    number: int
    at: int
    active_at: int
    path: str = ""
    title: str = ""
    context: str = ""
    sets_context: bool = False
    focused: bool = False
    page: int = 0
    chat: ChatReport | None = None
    attributes: dict[str, str] | None = None
    cart: Cart | None = None


class Opening(Struct, frozen=True, gc=False, array_like=True):
    """What a visit keeps from the page view that opens it."""

    referrer: str = ""
    source: str = "Direct"
    source_kind: str = "direct"
    medium: str = ""
    campaign: str = ""
    browser: str = ""
    os: str = ""
    device: str = ""
    country: str = ""
    language: str = ""
    visitor_id: str = ""


class Hit(Struct, frozen=True, array_like=True):
    """The events of one tab of one visit.

    visit_ids: the id that the embed sent; or, when it sent none, the ids that the server derived,
    yesterday's before today's. opening: set when an event is a page view. time_zone and its
    zone_country: set when the browser has sent its zone. block, wide_block: the addresses that one visitor,
    and one customer of a provider, may use, as of a `Client`; in memory only, for the limit of new visits.
    """

    site_id: int
    visit_ids: tuple[str, ...]
    is_derived: bool
    tab: str
    received_at: int
    events: tuple[Event, ...]
    opening: Opening | None
    origin_host: str = ""
    time_zone: str = ""
    zone_country: str = ""
    block: str = ""
    wide_block: str = ""


class Accepted(Struct, frozen=True, gc=False, array_like=True, tag=True):
    """The hit's rows are committed: the visit that took them, as it stands now.

    context_at: since when its page context is what it is. has_room: for another chat.
    """

    visit_id: str
    wants_time_zone: bool = False
    page_context: str = ""
    context_at: int = 0
    page_count: int = 0
    has_room: bool = True
