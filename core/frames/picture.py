"""The picture of a site, or of several, at one moment: all that the Visitor Monitor page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

import pandas as pd
from sqlalchemy import Connection

from core.chat.queries import open_by_visit
from core.frames.breakdown import breakdown
from core.frames.visitors import visitors_frame
from core.tables import Site
from core.visits.calendar import day_period, last_days, month_period
from core.visits.live_visits import live_visits
from core.visits.presence import Status
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


@dataclass(frozen=True)
class Picture:
    """A site, or several, at one moment. site_ids: which.

    visitors: see `core.frames.visitors`. days: the last seven local days, oldest first: date,
    label ("Sun 22 Nov"), visits, level (as a part of the busiest day's, 0 to 1), is_today.
    """

    as_of: datetime
    site_ids: frozenset[int]
    visitors: pd.DataFrame
    cards: Cards
    days: pd.DataFrame
    breakdowns: Breakdowns


@dataclass(frozen=True)
class _Started:
    """The visits of a site that started on each of its last days, and in its month."""

    days: Sequence[date]
    by_day: Sequence[int]
    this_month: int


def live_picture(db: Connection, site: Site, now: datetime) -> Picture:
    """The site at `now`; all numbers from the one snapshot that the connection is in."""
    return picture_of_sites(db, [site], now)


def picture_of_sites(db: Connection, sites: Sequence[Site], now: datetime) -> Picture:
    """Several sites, at least one, as if they were one, at `now` and from one snapshot.

    Each site's own time zone decides what belongs to its Today, its month and its last seven days; a
    day of the picture is the same number of days ago in each, and its label names two dates while
    the sites are in different ones.
    """
    visitors = _visitors(db, sites, now)
    starts = [_visits_started(db, site, now) for site in sites]
    days = _days(starts)
    return Picture(
        as_of=now,
        site_ids=frozenset(cast(int, site.id) for site in sites),
        visitors=visitors,
        cards=_cards(
            visitors,
            today=int(days["visits"].iloc[-1]),
            this_month=sum(each.this_month for each in starts),
        ),
        days=days,
        breakdowns=Breakdowns(
            source=breakdown(visitors, "source"),
            browser=breakdown(visitors, "browser"),
            os=breakdown(visitors, "os"),
            country=breakdown(visitors, "country"),
        ),
    )


def _visitors(db: Connection, sites: Sequence[Site], now: datetime) -> pd.DataFrame:
    ids = [cast(int, site.id) for site in sites]
    rows = [row for site_id in ids for row in live_visits(db, site_id, now)]
    conversations = {
        (site_id, visit): conversation
        for site_id in ids
        for visit, conversation in open_by_visit(db, site_id).items()
    }
    return visitors_frame(rows, now, sites, conversations)


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


def _cards(visitors: pd.DataFrame, *, today: int, this_month: int) -> Cards:
    online = len(visitors)
    in_view = int(visitors["in_view"].sum())
    chatting = int((visitors["status"] == Status.CHATTING.value).sum())
    return Cards(
        online=online,
        in_view=in_view,
        away=online - in_view,
        chatting=chatting,
        browsing=online - chatting,
        today=today,
        this_month=this_month,
    )
