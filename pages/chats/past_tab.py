"""Past chats: search their messages, read one, download them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from core.accounts.identity import Role
from core.chat.outcome import outcome_text, rating_text
from core.chat.rating import Rating
from core.chat.search import (
    MOST_SEARCHED,
    count_ratings,
    found_conversations,
    found_page,
    searched_from,
)
from core.database import Connection
from core.frames import conversations_frame, messages_frame
from core.moment import utc_now
from core.tables import Site
from core.visits.calendar import Period, day_period, local_day
from pages.parts.downloads import draw_downloads
from pages.parts.notices import draw_unanswered
from pages.parts.site_choice import choose_site, chosen_site, draw_other_site
from pages.parts.table.component import Column, Kind, Toolbar, draw_table
from pages.parts.texts import day_and_time_of, day_of, plural, small_text
from pages.parts.transcript import draw_transcript
from pages.parts.viewer import REFUSALS, read_as

ROWS = 50
"""Conversations on one page of the list."""

MOST_IN_FILE = 5_000
"""Conversations in one download."""

LONGEST_NAME = 40
"""Characters of a visitor's name in the list; the rest is in its tooltip."""

SPANS = {"Last 30 days": 30, "Last 7 days": 7, "Today": 1, "Last 90 days": 90}
"""How many days the search reaches back, today included; at first it is the first one."""

OTHER_DAYS = "Other days"

NOBODY_YET = "No chat in these days. Invite a visitor from Visitor Monitor, or widen the dates."
NOTHING_FOUND = "No chat contains this. Search for other words, or widen the dates."

COLUMNS = (
    Column("began", "Began", sorts=False),
    Column("name", "Visitor", tooltip="visitor", sorts=False),
    Column("last", "Last Message", Kind.LINK, tooltip="last", sorts=False),
    Column("agent", "Agent", tooltip="agent", sorts=False),
    Column("outcome", "Outcome", sorts=False),
    Column("rating", "Rating", tooltip="rating_text", sorts=False, is_optional=True),
    Column("messages", "Messages", Kind.NUMBER, sorts=False),
)


@dataclass(frozen=True)
class PastSearch:
    """What the agent looks for; page from 0."""

    search: str = ""
    page: int = 0

    def updated(self, view: Any) -> PastSearch:
        """The search after the browser sent its view; what is not understood changes nothing."""
        if not isinstance(view, Mapping):
            return self
        page = view.get("page")
        return PastSearch(
            search=str(view.get("search", ""))[:200],
            page=page if isinstance(page, int) and 0 <= page < 1_000_000 else 0,
        )


@dataclass(frozen=True)
class PastPage:
    """One page of the conversations that were found, the number of all, and of those with each rating.

    searched_from: since when the search has looked, where these days have more than it looks through.
    """

    rows: pd.DataFrame
    count: int
    ratings: Mapping[str, int]
    searched_from: datetime | None = None


def draw_past(sites: Sequence[Site]) -> None:
    """Draw the list with its search, and the transcript of the chosen conversation."""
    site = chosen_site(sites)
    if site is None:
        small_text("There is no site whose chats could be shown.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        choose_site(sites, site)
        days = _choose_days(site)
    draw_other_site(site)
    period = _period(days, site)
    past_search: PastSearch = st.session_state.get(_name(site), PastSearch())
    try:
        found = read_as(Role.AGENT, lambda db: _find(db, site, past_search, period), site)
    except REFUSALS as error:
        draw_unanswered(error)
        return
    chosen = st.query_params.get("past", "")
    with st.container(key="past_chats"):
        listed, opened = st.columns(2, gap="medium") if chosen else (st.container(), None)
        with listed:
            _draw_list(site, past_search, found, chosen)
            _draw_cut(site, found)
            _draw_download(site, past_search, days, found)
        if opened is not None:
            with opened:
                draw_transcript(site, chosen)


def _choose_days(site: Site) -> tuple[date, date]:
    """The first and the last day in which the chats began, in the site's time zone."""
    today = local_day(site.time_zone, utc_now())
    first = today - timedelta(days=next(iter(SPANS.values())) - 1)
    span = st.selectbox("Days", [*SPANS, OTHER_DAYS], key=f"past span of {site.key}", width=160)
    if span in SPANS:
        return today - timedelta(days=SPANS[span] - 1), today
    chosen: Any = st.date_input(
        "First and last day",
        value=(first, today),
        max_value=today,
        format="YYYY-MM-DD",
        key=f"past days of {site.key}",
        width=260,
    )
    days: Sequence[date] = chosen if isinstance(chosen, tuple) and chosen else (today,)
    return days[0], days[-1]


def _period(days: tuple[date, date], site: Site) -> Period:
    """From the beginning of the first day to the end of the last."""
    first, last = (day_period(day, site.time_zone) for day in days)
    return Period(first.from_at, last.until_at)


def _find(db: Connection, site: Site, past_search: PastSearch, period: Period) -> PastPage:
    assert site.id is not None
    place = {"limit": ROWS, "offset": past_search.page * ROWS}
    conversations, count = found_page(db, site.id, past_search.search, *period, **place)
    ratings = count_ratings(db, site.id, past_search.search, *period)
    since = searched_from(db, site.id, *period) if past_search.search else None
    is_cut = since is not None and since > period.from_at
    frame = conversations_frame(db, conversations)
    return PastPage(frame, count, ratings, since if is_cut else None)


def _draw_list(site: Site, past_search: PastSearch, found: PastPage, chosen: str) -> None:
    key = f"past chats of {site.key}"
    name = _name(site)

    def on_view_change() -> None:
        st.session_state[name] = past_search.updated(st.session_state[key].get("view"))

    rows = found.rows.assign(
        began=[day_and_time_of(at, site.time_zone) for at in found.rows["created_at"]],
        name=found.rows["visitor"].str.slice(0, LONGEST_NAME),
        rating=found.rows["rating"].map(rating_text),
        outcome=[outcome_text(*row) for row in found.rows[["state", "closed_by"]].to_numpy()],
    )
    done = draw_table(
        rows[["id", "visitor", "rating_text", *(column.name for column in COLUMNS)]],
        COLUMNS,
        key=key,
        name="Past chats",
        layout="list cards unsorted",
        href=f"chats?site={site.key}&past=",
        empty=NOTHING_FOUND if past_search.search else NOBODY_YET,
        view={
            "search": past_search.search,
            "sort": "",
            "descending": False,
            "page": past_search.page,
        },
        selected=chosen,
        toolbar=Toolbar(
            search="Search messages, visitor, agent",
            filters=(),
            chips=(),
            count=plural(found.count, "chat"),
            page=past_search.page,
            pages=max(-(-found.count // ROWS), 1),
        ),
        on_view_change=on_view_change,
    )
    if done.opened:
        st.query_params.update({"site": site.key, "past": str(done.opened)})
        st.rerun()


def _draw_cut(site: Site, found: PastPage) -> None:
    if found.searched_from is not None:
        since = day_and_time_of(found.searched_from, site.time_zone)
        small_text(
            f"Only the newest {MOST_SEARCHED:,} chats of these days were searched, those since {since}."
            " For older ones choose other days."
        )


def _draw_download(
    site: Site, past_search: PastSearch, days: tuple[date, date], found: PastPage
) -> None:
    if not found.count:
        return
    cut = f" A download has the newest {MOST_IN_FILE:,}." if found.count > MOST_IN_FILE else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        rated = _ratings_text(found.ratings)
        small_text(f"{_days_text(days)}. {rated}Times are in {site.time_zone}.{cut}")
        draw_downloads(
            lambda: _messages(site, past_search, _period(days, site)),
            f"chats-{site.key}",
            site_ids=[site.id or 0],
            help="Every message of these chats; its times are in UTC.",
        )


def _ratings_text(ratings: Mapping[str, int]) -> str:
    """How many were rated, "" when none was."""
    if not ratings:
        return ""
    return f"Rated: {ratings.get(Rating.GOOD, 0)} good, {ratings.get(Rating.BAD, 0)} not good. "


def _days_text(days: tuple[date, date]) -> str:
    first, last = map(day_of, days)
    return first if first == last else f"{first} to {last}"


def _messages(site: Site, past_search: PastSearch, period: Period) -> pd.DataFrame:
    """Every message of the conversations that were found."""

    def load(db: Connection) -> pd.DataFrame:
        assert site.id is not None
        search = past_search.search
        found = found_conversations(db, site.id, search, *period, limit=MOST_IN_FILE)
        return messages_frame(db, found)

    return read_as(Role.AGENT, load, site)


def _name(site: Site) -> str:
    return f"past asked of {site.key}"
