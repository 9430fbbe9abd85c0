"""Text on a page: literal, so that nothing in it is parsed as markdown; moments in local time."""

from __future__ import annotations

from datetime import date, datetime
from html import escape
from zoneinfo import ZoneInfo

import streamlit as st


def small_text(text: str) -> None:
    """Draw a small grey line."""
    st.html(f'<p style="{_QUIET}">{escape(text)}</p>')


def heading(text: str, above: str = "") -> None:
    """Draw the page's title as literal text; `above` is a small line over it."""
    over = f'<p style="{_QUIET}">{escape(above)}</p>' if above else ""
    st.html(f'{over}<h1 style="{_HEADING}">{escape(text)}</h1>')


def subheading(text: str) -> None:
    """Draw the title of a part of the page."""
    st.html(f'<h2 style="{_SUBHEADING}">{escape(text)}</h2>')


def notice(text: str, *, title: str = "", kind: str = "info") -> None:
    """Draw a coloured box that says what happened and what to do; kind: info, good, warn or bad."""
    strong = f"<strong>{escape(title)}</strong> " if title else ""
    role = "alert" if kind == "bad" else "status"
    st.html(f'<p class="notice {escape(kind)}" role="{role}">{strong}{escape(text)}</p>')


def clock_of(moment: datetime, time_zone: str) -> str:
    """The clock's time in the time zone: "21:03"."""
    return f"{moment.astimezone(ZoneInfo(time_zone)):%H:%M}"


def time_of(moment: datetime, time_zone: str) -> str:
    """The clock's time with its seconds, where they matter: "21:03:15"."""
    return f"{moment.astimezone(ZoneInfo(time_zone)):%H:%M:%S}"


def day_and_time_of(moment: datetime, time_zone: str) -> str:
    """The date and the time in the time zone: "22 Nov 2026, 21:03"."""
    local = moment.astimezone(ZoneInfo(time_zone))
    return f"{day_of(local)}, {clock_of(moment, time_zone)}"


def day_of(day: date) -> str:
    """The date: "22 Nov 2026"."""
    return f"{day.day} {day:%b %Y}"


def plural(number: int, word: str) -> str:
    """The number and the word: "1 visitor", "2,000 visitors"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


_QUIET = "margin:0;font-size:0.85rem;opacity:0.72;overflow-wrap:anywhere"
_HEADING = "margin:0;padding:0;font-size:1.75rem;line-height:1.25;overflow-wrap:anywhere"
_SUBHEADING = "margin:0;padding:0;font-size:1.1rem;line-height:1.3"
