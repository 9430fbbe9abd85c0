"""How many visitors were online, minute by minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, cast

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Row

from core.moment import milliseconds, to_milliseconds
from core.tables import Site
from core.visits.liveness import visit_ends_at
from core.visits.past_rows import chats_of, lengths_within, visits_with_chats

_MINUTE = milliseconds(timedelta(minutes=1))

Interval = tuple[int, int]
"""From a moment up to, but without, another one, in milliseconds."""


def online_by_minute(
    db: Connection, sites: Sequence[Site], since: datetime, until: datetime, now: datetime
) -> pd.DataFrame:
    """Each whole minute from `since` up to, but without, `until`, as far as it is not after `now`.

    Columns: minute (UTC), online, chatting: what the cards of `picture_at` say of that very moment. Counted from when
    each visit and chat began and ended, so no peak at a minute is missed.
    """
    last = min(to_milliseconds(until) - 1, to_milliseconds(now))
    minutes = np.arange(-(-to_milliseconds(since) // _MINUTE) * _MINUTE, last + 1, _MINUTE)
    stretch = ([cast(int, site.id) for site in sites], since, min(until, now))
    began, active_until = _columns(lengths_within(db, *stretch))
    chats_began, chats_ended = _columns(_chats(db, visits_with_chats(db, *stretch)))
    return pd.DataFrame(
        {
            "minute": pd.DatetimeIndex(minutes.astype("datetime64[ms]"), tz="UTC"),
            "online": _count(began, visit_ends_at(active_until), minutes),
            "chatting": _count(chats_began, chats_ended, minutes),
        }
    )


def _columns(pairs: Iterable[Sequence[Any]]) -> np.ndarray[Any, Any]:
    return np.fromiter(chain.from_iterable(pairs), np.int64).reshape(-1, 2).T


def _count(
    began: np.ndarray[Any, Any], ended: np.ndarray[Any, Any], moments: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """How many go on at each moment: those that have begun, without those that have ended."""
    begun = np.searchsorted(np.sort(began), moments, side="right")
    return begun - np.searchsorted(np.sort(ended), moments, side="right")


def _chats(db: Connection, visits: Sequence[Row[Any]]) -> Iterator[Interval]:
    """When each visit was in a chat, or several: as long as it was live."""
    of_sites: defaultdict[int, dict[int, Row[Any]]] = defaultdict(dict)
    for visit in visits:
        of_sites[visit.site_id][visit.number] = visit
    for site_id, chatted in of_sites.items():
        of_visits: defaultdict[int, list[Interval]] = defaultdict(list)
        for chat in chats_of(db, site_id, chatted):
            of_visits[chat.number].append((chat.began_at, chat.ended_at))
        for number, chats in of_visits.items():
            over = visit_ends_at(chatted[number].last_activity_at)
            yield from (
                (began, min(ended, over)) for began, ended in _joined(chats) if began < over
            )


def _joined(intervals: Sequence[Interval]) -> Iterator[Interval]:
    """The intervals, which are in the order of their beginnings, without overlaps."""
    began, ended = intervals[0]
    for next_began, next_ended in intervals[1:]:
        if next_began > ended:
            yield began, ended
            began, ended = next_began, next_ended
        else:
            ended = max(ended, next_ended)
    yield began, ended
