"""What the collector remembers of a visit to interpret its next event."""

from __future__ import annotations

import msgspec
from msgspec import Struct

MAX_TABS = 16
"""Tabs that a visit remembers: each page load is a new one, the oldest are forgotten first."""


class TabState(Struct, array_like=True, gc=False):
    """What must be remembered of a tab to interpret its next event."""

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


class VisitMemory(Struct, omit_defaults=True, gc=False):
    """What the collector remembers of a visit: its tabs, which tab's page is current, since when
    the context is what it is, when the cart's worth was told, and the span of a third-party chat."""

    tabs: dict[str, TabState] = {}
    current_tab: str = ""
    current_at: int = 0
    chat_tab: str = ""
    chat_number: int = 0
    context_at: int = 0
    cart_at: int = 0


def read_memory(text: str) -> VisitMemory:
    """The memory that the column `memory` holds."""
    return _memory_decoder.decode(text) if text else VisitMemory()


def write_memory(memory: VisitMemory) -> str:
    """The memory as the column `memory` holds it."""
    return _memory_encoder.encode(memory).decode()


_memory_decoder = msgspec.json.Decoder(VisitMemory)
_memory_encoder = msgspec.json.Encoder()


def forget_oldest_tab(memory: VisitMemory) -> None:
    """Keep at most MAX_TABS tabs."""
    if len(memory.tabs) > MAX_TABS:
        del memory.tabs[min(memory.tabs, key=lambda tab: memory.tabs[tab].at)]
