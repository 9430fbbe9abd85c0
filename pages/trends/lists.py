"""The bar lists: a card for each question, whose rows narrow all cards at a press."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from core.enrich.country import flag
from core.tables import Site
from core.trends import Trends, shortened
from core.visits.labels import duration_label
from pages.parts.breakdowns.breakdown_cards import breakdown_cards, pressed_share
from pages.parts.ready_data import ready_data, rows_of
from pages.parts.shown_data import draw_shown_data
from pages.parts.texts import small_text
from pages.trends.view import FILTERS, current_view, keep_view

SHOWN = 8
"""Rows of a card; the others are behind a button."""

MOST_DRAWN = 100
"""The most values that the browser gets; Show the data has all."""

NOBODY_REMEMBERED = 'This site remembers no visitors. For that, add data-remember="yes" to its tag.'


class ListCard(NamedTuple):
    """A card: the field of `Trends` that it lists, the filter that its rows set, and its title."""

    field: str
    filter: str
    title: str
    empty: str = "None in these days."


CARDS = (
    ListCard("sources", "source", "Sources"),
    ListCard("campaigns", "campaign", "Campaigns", "No visit came by a link with a campaign."),
    ListCard("countries", "country", "Countries"),
    ListCard("entry_pages", "entry_page", "Entry Pages"),
    ListCard("exit_pages", "exit_page", "Exit Pages"),
    ListCard("pages", "page", "Top Pages, Time on Each"),
    ListCard("contexts", "context", "Contexts"),
    ListCard("devices", "device", "Devices"),
    ListCard("browsers", "browser", "Browsers"),
    ListCard(
        "new_and_returning",
        "returning",
        "New and Returning",
        NOBODY_REMEMBERED,
    ),
)
COLUMNS = 3
OF_PAGES = ("page", "context")
"""The filters of lists whose seconds are told per page view, and not per visit."""


def draw_lists(trends: Trends, site: Site) -> None:
    """Draw all cards, side by side where there is room."""
    for start in range(0, len(CARDS), COLUMNS):
        places = st.columns(COLUMNS, gap="small")
        for place, card in zip(places, CARDS[start : start + COLUMNS], strict=False):
            with place:
                draw_list(trends, card, site)


def draw_list(trends: Trends, card: ListCard, site: Site) -> None:
    """Draw one card, with its data below it."""
    frame: pd.DataFrame = getattr(trends, card.field)
    key = f"{card.field} of {site.key}"

    def on_pressed_change() -> None:
        pressed = pressed_share(st.session_state[key].get("pressed"))
        if pressed and pressed.column in FILTERS:
            keep_view(current_view().toggled(*pressed))

    with st.container(gap="xsmall", key=f"list-{card.field}"):
        if frame.empty:
            _draw_empty(card)
            return
        chosen = current_view().chosen()
        breakdown_cards(
            key=key,
            data=ready_data(
                breakdowns=[
                    {"column": card.filter, "label": card.title, "shares": _shares(frame, card)}
                ],
                chosen=chosen,
                noun="visit",
            ),
            on_pressed_change=on_pressed_change,
        )
        draw_shown_data(
            lambda: frame,
            card.field.replace("_", "-"),
            title=card.title,
            site_ids=[site.id or 0],
            labels=labels_of(card),
        )


def labels_of(card: ListCard) -> Mapping[str, str]:
    """The columns of the card's data, and how they are called."""
    each = "Seconds per View" if card.filter in OF_PAGES else "Seconds per Visit"
    return {
        "label": FILTERS[card.filter],
        "visits": "Visits",
        "page_views": "Page Views",
        "one_page_visits": "One-Page Visits",
        "seconds_per_view": each,
    }


def _draw_empty(card: ListCard) -> None:
    with st.container(border=True, gap="xsmall"):
        st.html(f'<h3 class="chart-title">{card.title}</h3>')
        small_text(card.empty)


def _shares(frame: pd.DataFrame, card: ListCard) -> Mapping[str, Any]:
    """The rows of a card: those of ShareJson in breakdowns/client/breakdown_types.d.ts."""
    frame = shortened(frame, MOST_DRAWN, "page_views" if card.filter in OF_PAGES else "visits")
    values = frame["value"].tolist()
    seconds = frame["seconds_per_view"].tolist()
    return rows_of(
        value=values,
        label=frame["label"].tolist(),
        flag=[flag(value) if card.filter == "country" else "" for value in values],
        percent=[min(share * 100, 100.0) for share in frame["share"]],
        visits=frame["visits"].tolist(),
        note=[_time(each) if card.filter == "page" else "" for each in seconds],
        folded=[place >= SHOWN for place in range(len(values))],
        is_rest=[False] * len(values),
        is_sum=frame["is_rest"].tolist(),
    )


def _time(seconds: float) -> str:
    return duration_label(timedelta(seconds=seconds))
