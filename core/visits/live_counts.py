"""How many are on a site at a moment: in all, in view, chatting, and by where and with what they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import CTE, CompoundSelect, Connection, Select, func, literal, select, union_all
from sqlmodel import col

from core.tables import Visit
from core.visits.live_visits import ASKED_MOMENT, ASKED_SITES, are_live, asked
from core.visits.liveness import is_chatting, is_in_view

GROUPED_BY = ("source", "browser", "os", "country")
"""The columns of a visit whose values are counted."""


@dataclass(frozen=True)
class LiveCounts:
    """The visits that have not ended. groups: those with each value of each of GROUPED_BY, as stored."""

    online: int
    in_view: int
    chatting: int
    groups: Mapping[str, Mapping[str, int]]


def live_counts(db: Connection, site_ids: Sequence[int], now: datetime) -> LiveCounts:
    """The live visits of the sites at `now`, counted by one statement that reads each of them once."""
    groups: dict[str, dict[str, int]] = {name: {} for name in GROUPED_BY}
    in_view = chatting = 0
    for row in db.execute(_counts(), asked(site_ids, now)):
        groups[row.name][row.value] = row.visits
        if row.name == GROUPED_BY[0]:
            in_view += row.in_view
            chatting += row.chatting
    return LiveCounts(sum(groups[GROUPED_BY[0]].values()), in_view, chatting, groups)


@cache
def _counts() -> CompoundSelect[*tuple[Any, ...]]:
    live = (
        select(
            *(col(getattr(Visit, name)) for name in GROUPED_BY),
            is_in_view(Visit, ASKED_MOMENT).label("in_view"),
            is_chatting(Visit, ASKED_MOMENT).label("chatting"),
        )
        .where(are_live(ASKED_SITES, ASKED_MOMENT))
        .cte("live")
    )
    return union_all(*(_grouped(live, name) for name in GROUPED_BY))


def _grouped(live: CTE, name: str) -> Select[str, Any, int, int, int]:
    """Each value and its visits; only the first grouping counts those in view and chatting as well."""
    is_first = name == GROUPED_BY[0]
    return select(
        literal(name).label("name"),
        live.c[name].label("value"),
        func.count().label("visits"),
        (func.count().filter(live.c.in_view) if is_first else literal(0)).label("in_view"),
        (func.count().filter(live.c.chatting) if is_first else literal(0)).label("chatting"),
    ).group_by(live.c[name])
