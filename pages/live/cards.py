"""The row of numbers, each with its rule as help, and Last 7 Days."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from core.frames import Picture
from core.tables import Site
from pages.live.sparkline import chart
from pages.parts.charts import ReadyFrame, draw_chart, ready_frame
from pages.parts.picture_cache import once_a_picture
from pages.parts.ready_data import ready_data
from pages.parts.script import component
from pages.parts.site_choice import ALL_SITES

ONLINE = (
    "Every visit that has not ended. A visit ends 30 minutes after its last page view or "
    "interaction. In view: the page is on the visitor's screen. Away: it is hidden, or its tab "
    "has not been heard of for 90 seconds."
)
CHATTING = (
    "Visitors in a chat, with you or in another product on the website: it was started or a "
    "message was written less than 20 minutes ago, and it was not ended."
)
BROWSING = "Visitors who are online and not chatting."

LAST_DAYS = "Last 7 Days"
DAY_LABELS = {"label": "Day", "visits": "Visits"}

_FOLDER = Path(__file__).with_name("client")


@dataclass(frozen=True)
class LiveNumber:
    """A number of the row, a note next to it, and the rule by which it is counted."""

    label: str
    value: str
    rule: str
    note: str = ""


def draw_cards(picture: Picture, site: Site) -> None:
    """Draw five numbers and the sparkline in one row; on a phone in two."""
    with st.container(gap=None, key="summary"):
        _numbers(
            key="live_numbers",
            data=_ready_numbers(picture, site.key, site.time_zone),
        )
        # Over the place that the last number leaves empty: see pages/look.css.
        draw_chart(
            chart,
            _ready_days(picture),
            "Visits started on each of the last 7 days",
            title=LAST_DAYS,
            name="last-7-days",
            site_ids=picture.site_ids,
            labels=DAY_LABELS,
            has_heading=False,
        )


@once_a_picture
def _ready_numbers(picture: Picture, key: str, time_zone: str) -> bytes:
    return ready_data(numbers=numbers(picture, key, time_zone))


@once_a_picture
def _ready_days(picture: Picture) -> ReadyFrame:
    return ready_frame(picture.days, DAY_LABELS)


def numbers(picture: Picture, key: str, time_zone: str) -> tuple[LiveNumber, ...]:
    """The numbers in their order; the last one is a label, for the sparkline.

    key and time_zone: of the site, or of ALL_SITES.
    """
    started = partial(_started, key, time_zone)
    cards = picture.cards
    today = picture.days["label"].iloc[-1]
    under = f"{cards.in_view:,} in view, {cards.away:,} away" if cards.online else ""
    return (
        LiveNumber("Online Now", f"{cards.online:,}", ONLINE, under),
        LiveNumber("Chatting", f"{cards.chatting:,}", CHATTING),
        LiveNumber("Browsing", f"{cards.browsing:,}", BROWSING),
        LiveNumber("Visits Today", f"{cards.today:,}", started("on this day"), today),
        LiveNumber("This Month", f"{cards.this_month:,}", started("this month"), _month(today)),
        LiveNumber(LAST_DAYS, "", started("on each day")),
    )


def _started(key: str, time_zone: str, when: str) -> str:
    """The text needs no escaping: a time zone's name has only letters, digits and / _ - +."""
    if key == ALL_SITES:
        return f"Visits that started {when}, in each site's own time zone."
    return f"Visits that started {when}, in the site's time zone ({time_zone})."


def _month(today: str) -> str:
    """ "" where the sites' days are two dates: then it has begun at different moments, too."""
    if " / " in today:
        return ""
    return f"since 1 {today.split()[-1]}"


_numbers = component("visitor_monitor_numbers", _FOLDER / "numbers.js", _FOLDER / "numbers.css")
