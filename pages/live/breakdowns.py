"""Shares of sources, browsers, operating systems and countries; a click narrows the table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from core.frames import OTHER, Picture
from core.tables import Site
from pages.live.view import CHOICES, current_view, keep_view
from pages.parts.script import component

_SENT = ["value", "label", "flag", "percent", "visits", "folded", "is_rest", "pressed"]
_FOLDER = Path(__file__).with_name("client")


def draw_breakdowns(picture: Picture, site: Site) -> None:
    """Draw a card for each of CHOICES: its largest groups, and the others behind a button."""
    key = f"breakdowns of {site.key}"

    def on_pressed_change() -> None:
        pressed = st.session_state[key].get("pressed")
        if not isinstance(pressed, Mapping):
            return
        column, value = pressed.get("column"), pressed.get("value")
        if column in CHOICES and isinstance(value, str):
            keep_view(current_view().toggled(column, value))

    _breakdowns(
        key=key,
        data={
            "breakdowns": [
                {"column": column, "label": label, "shares": _shares(picture, column)}
                for column, label in CHOICES.items()
            ]
        },
        on_pressed_change=on_pressed_change,
    )


def _shares(picture: Picture, column: str) -> list[dict[str, Any]]:
    chosen = getattr(current_view(), column)
    frame = getattr(picture.breakdowns, column)
    rows = frame.assign(
        percent=frame["share"] * 100,
        is_rest=frame["value"] == OTHER,
        pressed=frame["value"] == chosen if chosen is not None else False,
    )
    return rows[_SENT].to_dict("records")


_breakdowns = component(
    "visitor_monitor_breakdowns", _FOLDER / "breakdowns.js", _FOLDER / "breakdowns.css"
)
