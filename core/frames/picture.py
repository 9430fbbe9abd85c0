"""The picture of a site, or of several, at one moment: all that the Visitor Monitor page shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

import pandas as pd
from sqlalchemy import Connection

from core.chat.queries import open_by_visit
from core.chat.states import ConversationState
from core.frames.breakdown import breakdown
from core.frames.visitors import known_name, visitors_frame
from core.tables import Conversation, Site
from core.visits.calendar import day_period, last_days, month_period
from core.visits.live_counts import LiveCounts, live_counts
from core.visits.live_visits import live_visits
from core.visits.visit_counts import visits_started


@dataclass(frozen=True)
class Cards:
    """The numbers of the metric cards: visits that are live, and visits that have started."""

    online: int
    in_view: int
    away: int
    chatting: int
    browsing: int
    today: int
    this_month: int


@dataclass(frozen=True)
class Breakdowns:
    """Shares of the live list; see `core.frames.breakdown` for the columns."""

    source: pd.DataFrame
    browser: pd.DataFrame
    os: pd.DataFrame
    country: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Picture:
    """A site, or several, at one moment. site_ids: which. It is equal to itself only.

    visitors: the first rows of the live list in the default order, or, if is_whole, all of them; see
    `core.frames.visitors`. open_chats: the conversation that is open with a visit, by the key of the
    site and the id of the visit. days: the last seven local days, oldest first: date,
    label ("Sun 22 Nov"), visits, level (as a part of the busiest day's, 0 to 1), is_today.
    """

    as_of: datetime
    site_ids: frozenset[int]
    visitors: pd.DataFrame
    is_whole: bool
    open_chats: Mapping[tuple[str, str], str]
    cards: Cards
    days: pd.DataFrame
    breakdowns: Breakdowns


@dataclass(frozen=True)
class _Started:
    """The visits of a site that started on each of its last days, and in its month."""

    days: Sequence[date]
    by_day: Sequence[int]
    this_month: int


def live_picture(
    db: Connection, site: Site, now: datetime, most_rows: int | None = None
) -> Picture:
    """The site at `now`; all numbers from the one snapshot that the connection is in."""
    return picture_of_sites(db, [site], now, most_rows)


def picture_of_sites(
    db: Connection, sites: Sequence[Site], now: datetime, most_rows: int | None = None
) -> Picture:
    """Several sites, at least one, as if they were one, at `now` and from one snapshot.

    most_rows: of the visitors; None: all. The numbers are counted by the database, and cost the same.
    Each site's own time zone decides what belongs to its Today, its month and its last seven days; a
    day of the picture is the same number of days ago in each, and its label names two dates while
    the sites are in different ones.
    """
    ids = [cast(int, site.id) for site in sites]
    conversations = _conversations(db, ids)
    counts = live_counts(db, ids, now)
    starts = [_visits_started(db, site, now) for site in sites]
    days = _days(starts)
    return Picture(
        as_of=now,
        site_ids=frozenset(ids),
        visitors=visitors_frame(live_visits(db, ids, now, most_rows), now, sites, conversations),
        is_whole=most_rows is None or counts.online <= most_rows,
        open_chats=_open_chats(sites, conversations),
        cards=_cards(
            counts,
            today=int(days["visits"].iloc[-1]),
            this_month=sum(each.this_month for each in starts),
        ),
        days=days,
        breakdowns=Breakdowns(
            source=breakdown(counts.groups["source"], "source"),
            browser=breakdown(_by_known_name(counts.groups["browser"]), "browser"),
            os=breakdown(_by_known_name(counts.groups["os"]), "os"),
            country=breakdown(counts.groups["country"], "country"),
        ),
    )


def _conversations(
    db: Connection, site_ids: Sequence[int]
) -> Mapping[tuple[int, str], Conversation]:
    return {
        (site_id, visit): conversation
        for site_id in site_ids
        for visit, conversation in open_by_visit(db, site_id).items()
    }


def _open_chats(
    sites: Sequence[Site], conversations: Mapping[tuple[int, str], Conversation]
) -> Mapping[tuple[str, str], str]:
    keys = {site.id: site.key for site in sites}
    return {
        (keys[site_id], visit): conversation.id
        for (site_id, visit), conversation in conversations.items()
        if conversation.state == ConversationState.OPEN.value
    }


def _by_known_name(visits: Mapping[str, int]) -> Mapping[str, int]:
    known: Counter[str] = Counter()
    for name, number in visits.items():
        known[known_name(name)] += number
    return known


def _visits_started(db: Connection, site: Site, now: datetime) -> _Started:
    days = last_days(site.time_zone, now)
    periods = [
        *(day_period(day, site.time_zone) for day in days),
        month_period(days[-1], site.time_zone),
    ]
    *by_day, this_month = visits_started(db, cast(int, site.id), periods)
    return _Started(days, by_day, this_month)


def _days(starts: Sequence[_Started]) -> pd.DataFrame:
    dates = [sorted(set(same)) for same in zip(*(each.days for each in starts), strict=True)]
    visits = [sum(same) for same in zip(*(each.by_day for each in starts), strict=True)]
    return pd.DataFrame(
        {
            "date": [same[-1] for same in dates],
            "label": [" / ".join(f"{day:%a} {day.day} {day:%b}" for day in same) for same in dates],
            "visits": visits,
            "level": [number / max(*visits, 1) for number in visits],
            "is_today": [same is dates[-1] for same in dates],
        }
    )


def _cards(counts: LiveCounts, *, today: int, this_month: int) -> Cards:
    return Cards(
        online=counts.online,
        in_view=counts.in_view,
        away=counts.online - counts.in_view,
        chatting=counts.chatting,
        browsing=counts.online - counts.chatting,
        today=today,
        this_month=this_month,
    )
