"""The picture of a site at one moment: everything that the Visitor Monitor page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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

    browser: pd.DataFrame
    os: pd.DataFrame
    country: pd.DataFrame


@dataclass(frozen=True)
class Picture:
    """A site at one moment.

    visitors: see `core.frames.visitors`. days: the last seven local days, oldest first: date,
    label ("Sun 22 Nov"), visits, is_today.
    """

    as_of: datetime
    visitors: pd.DataFrame
    cards: Cards
    days: pd.DataFrame
    breakdowns: Breakdowns


def live_picture(db: Connection, site: Site, now: datetime) -> Picture:
    """The site at `now`; all numbers from the one snapshot that the connection is in."""
    site_id = cast(int, site.id)
    visitors = visitors_frame(live_visits(db, site_id, now), now, open_by_visit(db, site_id))
    days = last_days(site.time_zone, now)
    today = days[-1]
    *by_day, this_month = visits_started(
        db,
        site_id,
        [*(day_period(day, site.time_zone) for day in days), month_period(today, site.time_zone)],
    )
    return Picture(
        as_of=now,
        visitors=visitors,
        cards=_cards(visitors, today=by_day[-1], this_month=this_month),
        days=pd.DataFrame(
            {
                "date": days,
                "label": [f"{day:%a} {day.day} {day:%b}" for day in days],
                "visits": by_day,
                "is_today": [day == today for day in days],
            }
        ),
        breakdowns=Breakdowns(
            browser=breakdown(visitors, "browser"),
            os=breakdown(visitors, "os"),
            country=breakdown(visitors, "country"),
        ),
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
