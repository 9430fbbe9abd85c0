"""Moments of the past to go to: when the next visit or chat began, the one before, and from when on all is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import col

from core.moment import from_milliseconds
from core.tables import Visit
from core.visits.past_rows import chats_of, visits_with_chats
from core.visits.presence import VISIT_ENDS_AFTER

_started_at = col(Visit.started_at)


def next_event_after(
    db: Connection, site_ids: Sequence[int], moment: datetime, now: datetime
) -> datetime | None:
    """When the next visit or chat of the sites began after the moment, up to now; None without one."""
    since = _started_at > moment
    visits = _first_starts(db, site_ids, _started_at, since, _started_at <= now)
    # Who begins to chat before the next visit begins was there at the moment.
    chats = (at for at in _chats(db, site_ids, moment) if moment < at <= now)
    return min((*visits, *chats), default=None)


def previous_event_before(
    db: Connection, site_ids: Sequence[int], moment: datetime
) -> datetime | None:
    """When the last visit or chat of the sites began before the moment; None without one."""
    visits = _first_starts(db, site_ids, _started_at.desc(), _started_at < moment)
    last = max(visits, default=None)
    if last is None:
        return None
    # Who has begun to chat since then was there then.
    return max(last, *(at for at in _chats(db, site_ids, last) if at < moment), last)


def known_since(
    db: Connection, site_ids: Sequence[int], kept_for: timedelta, now: datetime
) -> datetime | None:
    """From when on the past of the sites is complete: all who were there then are stored. None without any visit.

    kept_for: how long visits are kept after their last activity; 0: for good.
    """
    first = min(_first_starts(db, site_ids, _started_at, _started_at <= now), default=None)
    if first is None or not kept_for:
        return first
    return max(first, now - kept_for + VISIT_ENDS_AFTER)


def _first_starts(
    db: Connection, site_ids: Sequence[int], order: Any, *conditions: Any
) -> list[datetime]:
    """Of each site that has such a visit the start of the first one; site by site, which reads one row of an index."""
    found = (
        db.execute(
            select(_started_at)
            .where(col(Visit.site_id) == site_id, *conditions)
            .order_by(order)
            .limit(1)
        ).scalar()
        for site_id in site_ids
    )
    return [at for at in found if at is not None]


def _chats(db: Connection, site_ids: Sequence[int], moment: datetime) -> Iterator[datetime]:
    """When each chat of those who were there at the moment began, before it or after."""
    of_sites: defaultdict[int, list[int]] = defaultdict(list)
    for visit in visits_with_chats(db, site_ids, moment, moment):
        of_sites[visit.site_id].append(visit.number)
    for site_id, numbers in of_sites.items():
        yield from (from_milliseconds(chat.began_at) for chat in chats_of(db, site_id, numbers))
