"""The filters that are set, each with what clears it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.enrich.country import UNKNOWN_NAME, country_name
from core.trends import Returning
from pages.parts.script import component
from pages.trends.view import FILTERS, current_view, keep_view

_FOLDER = Path(__file__).with_name("client")
KEY = "trend filters"


def draw_chips() -> None:
    """Draw a chip for each filter; none without one."""
    chosen = current_view().chosen()
    if not chosen:
        return

    def on_cleared_change() -> None:
        name = st.session_state[KEY].get("cleared")
        if isinstance(name, str):
            keep_view(current_view().cleared(name))

    chips = [
        {"name": name, "label": f"{FILTERS[name]}: {value_text(name, value)}"}
        for name, value in chosen.items()
    ]
    if len(chips) > 1:
        chips.append({"name": "all", "label": "Clear all filters"})
    _chips(key=KEY, data={"chips": chips}, on_cleared_change=on_cleared_change)


def value_text(name: str, value: str) -> str:
    """A filter's value in words."""
    if name == "country":
        return country_name(value)
    if name == "context":
        return value or "Other pages"
    if name == "returning":
        return _RETURNING.get(value, value)
    return value or UNKNOWN_NAME


_RETURNING = {
    Returning.NEW.value: "New",
    Returning.RETURNING.value: "Returning",
    Returning.NOT_REMEMBERED.value: "Not remembered",
}

_chips = component("visitor_monitor_trend_chips", _FOLDER / "chips.js", _FOLDER / "chips.css")
