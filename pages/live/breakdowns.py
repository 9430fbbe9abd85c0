"""Shares of browsers, operating systems and countries; a click narrows the table."""

from __future__ import annotations

import streamlit as st

from core.frames import Picture
from core.tables import Site
from pages.live.columns import share_columns
from pages.live.view import CHOICES, keep_view, view_of
from pages.parts.table.component import draw_table

NARROWEST = 300


def draw_breakdowns(picture: Picture, site: Site) -> None:
    """Draw three cards in a row; on a phone they scroll sideways."""
    with st.grid(3, min_column_width=NARROWEST, wrap=False, border=True, key="breakdowns"):
        for column, label in CHOICES.items():
            _draw(picture, site, column, label)


def _draw(picture: Picture, site: Site, column: str, label: str) -> None:
    key = f"{column} of {site.key}"
    chosen = getattr(view_of(site.key), column)
    frame = getattr(picture.breakdowns, column)
    rows = frame.assign(
        id=frame["value"],
        percent=frame["share"] * 100,
        pressed=frame["value"] == chosen if chosen is not None else False,
        choosable=True,
    )

    def on_pressed_change() -> None:
        value = st.session_state[key].get("pressed")
        if isinstance(value, str):
            keep_view(site.key, view_of(site.key).toggled(column, value))

    draw_table(
        rows[["id", "label", "flag", "percent", "visits", "pressed", "choosable"]],
        share_columns(label),
        key=key,
        name=f"Visitors by {label}",
        layout="shares",
        empty="Nobody is here.",
        on_pressed_change=on_pressed_change,
    )
