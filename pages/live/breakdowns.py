"""Shares of sources, browsers, operating systems and countries; a click narrows the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.frames import OTHER, Picture
from core.tables import Site
from pages.live.view import CHOICES, current_view, keep_view
from pages.parts.breakdowns.breakdown_cards import breakdown_cards, pressed_share
from pages.parts.picture_cache import once_a_picture
from pages.parts.ready_data import ReadyJson, as_json, ready_data, rows_of
from pages.parts.shown_data import draw_shown_data

_SHOWN = ("value", "label", "flag", "visits", "folded")

GROUP_LABELS = {"breakdown": "By", "label": "Group", "visits": "Visitors", "percent": "%"}


def draw_breakdowns(picture: Picture, site: Site) -> None:
    """Draw a card for each of CHOICES: its largest groups, and the others behind a button."""
    key = f"breakdowns of {site.key}"

    def on_pressed_change() -> None:
        pressed = pressed_share(st.session_state[key].get("pressed"))
        if pressed and pressed.column in CHOICES:
            keep_view(current_view().toggled(*pressed))

    with st.container(gap="xsmall", key="live_groups"):
        breakdown_cards(
            key=key,
            data=ready_data(
                breakdowns=_ready_breakdowns(picture), chosen=_chosen(), noun="visitor"
            ),
            on_pressed_change=on_pressed_change,
        )
        draw_shown_data(
            lambda: _groups(picture),
            "groups",
            title="Visitors who are online, by group",
            site_ids=picture.site_ids,
            labels=GROUP_LABELS,
        )


@once_a_picture
def _groups(picture: Picture) -> pd.DataFrame:
    """The groups of all breakdowns; Other's are in it each by its name, and Other is not."""
    frames = [
        getattr(picture.breakdowns, column).assign(
            breakdown=label, percent=lambda groups: (groups["share"] * 100).round(1)
        )
        for column, label in CHOICES.items()
    ]
    rows = pd.concat(frames, ignore_index=True)
    return rows.loc[rows["value"] != OTHER, [*GROUP_LABELS]]


@once_a_picture
def _ready_breakdowns(picture: Picture) -> ReadyJson:
    return as_json(
        [
            {"column": column, "label": label, "shares": _shares(picture, column)}
            for column, label in CHOICES.items()
        ]
    )


def _shares(picture: Picture, column: str) -> Mapping[str, Any]:
    """The rows of a card: those of ShareJson in breakdowns/client/breakdown_types.d.ts."""
    shown = picture.breakdowns.groups[column]
    return rows_of(
        **{name: [getattr(group, name) for group in shown] for name in _SHOWN},
        percent=[group.share * 100 for group in shown],
        note=[""] * len(shown),
        is_rest=[group.value == OTHER for group in shown],
        is_sum=[False] * len(shown),
    )


def _chosen() -> Mapping[str, str]:
    """The value that is chosen in each column, where one is."""
    view = current_view()
    return {name: value for name in CHOICES if (value := getattr(view, name)) is not None}
