"""The picture of a site, or of several, at one moment: all that the Visitor Monitor page shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, cast

import pandas as pd
from sqlalchemy import Connection

from core.chat.queries import open_by_visit, open_by_visit_at
from core.chat.states import ConversationState
from core.frames.breakdown import Group, groups_by, groups_frame
from core.frames.past_visits import visits_at
from core.frames.visitors import known_name, visitors_frame
from core.moment import from_milliseconds
from core.tables import Conversation, Site
from core.visits.calendar import Period, day_period, last_days, month_period
from core.visits.live_counts import LiveCounts, live_counts
from core.visits.live_visits import live_visits
from core.visits.visit_counts import visits_started, visits_started_by


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


def _frame_of(by: str) -> cached_property[pd.DataFrame]:
    return cached_property(lambda breakdowns: groups_frame(breakdowns.groups[by]))


@dataclass(frozen=True)
class Breakdowns:
    """Shares of the live list by source, browser, os and country: the groups, and as frames, which are made when
    they are asked for; see `core.frames.breakdown` for the columns."""

    groups: Mapping[str, Sequence[Group]]

    source = _frame_of("source")
    browser = _frame_of("browser")
    os = _frame_of("os")
    country = _frame_of("country")


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

    @cached_property
    def is_empty(self) -> bool:
        """Whether it has no visit, of now or before."""
        return self.cards.online + self.cards.this_month + self.days["visits"].sum() == 0


@dataclass(frozen=True)
class _Started:
    """The visits of a site that started on each of its last days, and in its month."""

    days: Sequence[date]
    by_day: Sequence[int]
    this_month: int


@dataclass(frozen=True)
class _Shown:
    """What the database says of a moment. rows: the first ones, in the columns of the live list."""

    counts: LiveCounts
    rows: Sequence[Sequence[Any]]
    conversations: Mapping[tuple[int, str], Conversation]
    starts: Sequence[_Started]


def picture_at(
    db: Connection,
    sites: Sequence[Site],
    moment: datetime,
    now: datetime,
    most_rows: int | None = None,
) -> Picture:
    """Sites, at least one, as if they were one, as the page showed them at `moment`; from one snapshot.

    now: at that moment, and after it, the picture is the live one. most_rows: of the visitors; None: all. The
    numbers are those of all, and cost the same.
    Each site's own time zone decides what belongs to its Today, its month and its last seven days; a
    day of the picture is the same number of days ago in each, and its label names two dates while
    the sites are in different ones.
    What arrived late belongs where it happened. Of visitors who were Active at a past moment it is not kept who was
    so last: they stand in the order of their ids, and their idle_seconds may be up to 59 too low.
    """
    moment = min(moment, now)
    shown = (_then if moment < now else _now)(db, sites, moment, most_rows)
    days = _days(shown.starts)
    counts = shown.counts
    return Picture(
        as_of=moment,
        site_ids=frozenset(_ids(sites)),
        visitors=visitors_frame(shown.rows, moment, sites, shown.conversations),
        is_whole=most_rows is None or counts.online <= most_rows,
        open_chats=_open_chats(sites, shown.conversations),
        cards=_cards(
            counts,
            today=int(days["visits"].iloc[-1]),
            this_month=sum(each.this_month for each in shown.starts),
        ),
        days=days,
        breakdowns=_breakdowns(counts),
    )


def _now(db: Connection, sites: Sequence[Site], now: datetime, most_rows: int | None) -> _Shown:
    ids = _ids(sites)
    return _Shown(
        counts=live_counts(db, ids, now),
        rows=live_visits(db, ids, now, most_rows),
        conversations={
            (site_id, visit): conversation
            for site_id in ids
            for visit, conversation in open_by_visit(db, site_id).items()
        },
        starts=[_visits_started(db, site, now, visits_started) for site in sites],
    )


def _then(db: Connection, sites: Sequence[Site], moment: datetime, most_rows: int | None) -> _Shown:
    visits = visits_at(db, _ids(sites), moment)
    since = {
        site_id: from_milliseconds(int(visits.started_at[places].min()))
        for site_id, places in visits.by_site(range(len(visits.ids)))
    }

    def started(db: Connection, site_id: int, periods: Sequence[Period]) -> Sequence[int]:
        return visits_started_by(db, site_id, periods, moment)

    return _Shown(
        counts=visits.counts(),
        rows=visits.listed(db, visits.first(most_rows)),
        conversations={
            (site_id, visit): conversation
            for site_id, began in since.items()
            for visit, conversation in open_by_visit_at(db, site_id, began, moment).items()
        },
        starts=[_visits_started(db, site, moment, started) for site in sites],
    )


def _ids(sites: Sequence[Site]) -> Sequence[int]:
    return [cast(int, site.id) for site in sites]


def _open_chats(
    sites: Sequence[Site], conversations: Mapping[tuple[int, str], Conversation]
) -> Mapping[tuple[str, str], str]:
    keys = {site.id: site.key for site in sites}
    return {
        (keys[site_id], visit): conversation.id
        for (site_id, visit), conversation in conversations.items()
        if conversation.state == ConversationState.OPEN.value
    }


def _breakdowns(counts: LiveCounts) -> Breakdowns:
    visits = {
        **counts.groups,
        "browser": _by_known_name(counts.groups["browser"]),
        "os": _by_known_name(counts.groups["os"]),
    }
    return Breakdowns({by: groups_by(number, by) for by, number in visits.items()})


def _by_known_name(visits: Mapping[str, int]) -> Mapping[str, int]:
    known: Counter[str] = Counter()
    for name, number in visits.items():
        known[known_name(name)] += number
    return known


def _visits_started(
    db: Connection,
    site: Site,
    now: datetime,
    count: Callable[[Connection, int, Sequence[Period]], Sequence[int]],
) -> _Started:
    days = last_days(site.time_zone, now)
    periods = [
        *(day_period(day, site.time_zone) for day in days),
        month_period(days[-1], site.time_zone),
    ]
    *by_day, this_month = count(db, cast(int, site.id), periods)
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
