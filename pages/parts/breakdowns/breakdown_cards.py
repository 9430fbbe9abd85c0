"""Cards of shares, whose rows can be pressed: what they get, and what was pressed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pages.parts.script import component

_FOLDER = Path(__file__).with_name("client")


class PressedShare(NamedTuple):
    """The row of a card: the card's column, and the row's value."""

    column: str
    value: str


def pressed_share(sent: Any) -> PressedShare | None:
    """What the browser has sent as `pressed`; None when it is not understood."""
    if not isinstance(sent, Mapping):
        return None
    column, value = sent.get("column"), sent.get("value")
    if not (isinstance(column, str) and isinstance(value, str)):
        return None
    return PressedShare(column, value)


breakdown_cards = component(
    "visitor_monitor_breakdowns", _FOLDER / "breakdowns.js", _FOLDER / "breakdowns.css"
)
"""Draws the cards; data is of BreakdownsData in client/breakdown_types.d.ts."""
