"""What the collector remembers of a visit to interpret its next event."""

from __future__ import annotations

import msgspec
from msgspec import Struct

MAX_TABS = 16
"""Tabs that a visit remembers: each page load is a new one, the oldest are forgotten first."""


class TabState(Struct, array_like=True, gc=False):
    """What must be remembered of a tab to interpret its next event.

    ordinal: of the visit's tabs it is the first, the second ... page_at: the moment of its page's view, 0
    when that is not known. is_corrected: that view no longer has what it was shown with.
    """

    number: int
    at: int
    is_shown: bool = False
    view_number: int = 0
    view_from: int = 0
    active_number: int = 0
    active_from: int = 0
    active_until: int = 0
    page_number: int = 0
    path: str = ""
    title: str = ""
    context: str = ""
    ordinal: int = 0
    page_at: int = 0
    is_corrected: bool = False


class Memory(Struct, omit_defaults=True, gc=False):
    """What the collector remembers of a visit: its tabs, which tab's page is current, since when
    the context is what it is, when the cart's worth was told, and the span of a third-party chat.

    tab_count: the tabs that it was ever in. change_count: the changes that are stored of it. told_at: the newest
    moment of which a page view is stored, or that a page became the current one.
    """

    tabs: dict[str, TabState] = {}
    current_tab: str = ""
    current_at: int = 0
    chat_tab: int = 0
    chat_number: int = 0
    context_at: int = 0
    cart_at: int = 0
    tab_count: int = 0
    change_count: int = 0
    told_at: int = 0


def read_memory(text: str) -> Memory:
    """The memory that the column `memory` holds."""
    return _memory_decoder.decode(text) if text else Memory()


def write_memory(memory: Memory) -> str:
    """The memory as the column `memory` holds it."""
    return _memory_encoder.encode(memory).decode()


_memory_decoder = msgspec.json.Decoder(Memory)
_memory_encoder = msgspec.json.Encoder()


def forget_oldest_tab(memory: Memory) -> None:
    """Keep at most MAX_TABS tabs."""
    if len(memory.tabs) > MAX_TABS:
        del memory.tabs[min(memory.tabs, key=lambda tab: memory.tabs[tab].at)]
