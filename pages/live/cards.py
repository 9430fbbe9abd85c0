"""The metric cards, each with its rule as help, and Last 7 Days."""

from __future__ import annotations

import streamlit as st

from core.frames import Picture
from core.tables import Site
from pages.live.sparkline import chart
from pages.parts.charts import draw_chart

NARROWEST = 140

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


def draw_cards(picture: Picture, site: Site) -> None:
    """Draw five numbers and the sparkline, in two columns on a phone."""
    cards = picture.cards
    today = picture.days["label"].iloc[-1]
    under = f"{cards.in_view:,} in view, {cards.away:,} away"
    with st.grid(6, min_column_width=NARROWEST):
        _card("Online Now", cards.online, ONLINE, under)
        _card("Chatting", cards.chatting, CHATTING)
        _card("Browsing", cards.browsing, BROWSING)
        _card("Visits Today", cards.today, _started(site, "on this day"), today)
        _card("This Month", cards.this_month, _started(site, "this month"), _month(today))
        with st.container(border=True, height="stretch", key="last_days"):
            st.text("Last 7 Days", help=_started(site, "on each day"))
            draw_chart(chart, picture.days, alt_text="Visits started on each of the last 7 days")


def _card(label: str, value: int, rule: str, under: str | None = None) -> None:
    st.metric(
        label,
        f"{value:,}",
        under,
        delta_color="off",
        delta_arrow="off",
        help=rule,
        border=True,
        height="stretch",
    )


def _started(site: Site, when: str) -> str:
    """The text needs no escaping: a time zone's name has only letters, digits and / _ - +."""
    return f"Visits that started {when}, in the site's time zone (`{site.time_zone}`)."


def _month(today: str) -> str:
    return f"since 1 {today.split()[-1]}"
