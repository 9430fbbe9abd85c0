"""Counting a site's visits that are over, a step at a time. The caller owns the transaction, and the site's lock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlmodel import col

from core.moment import EPOCH
from core.rollups.counting import count_visits
from core.rollups.dimensions import began_within
from core.rollups.site_counts import (
    CountState,
    add_to_day,
    count_state,
    drop_last_day,
    store_state,
)
from core.rollups.visitor_counts import count_by_last_day
from core.tables import Site, Visit
from core.visits.calendar import day_period, local_day
from core.visits.memories import REMEMBERED_FOR

_MILLISECOND = timedelta(milliseconds=1)


class CountStep(NamedTuple):
    """What one step has done. visits: counted. is_last: there is nothing to do until more visits are over."""

    visits: int
    is_last: bool


def count_some(db: Connection, site: Site, now: datetime, at_once: int) -> CountStep:
    """Count the next visits of the site, about `at_once`.

    If its time zone has changed, or a clock that ran ahead has counted, what is counted is dropped first, a day
    at a time, but for days of which visits are deleted.
    """
    assert site.id is not None
    state, over_until = count_state(db, site), now - REMEMBERED_FOR
    if not state.is_current or state.until > now:
        return _begin_again(db, site, state, now)
    if state.until >= over_until:
        return CountStep(0, is_last=True)
    until = min(_bite_end(db, site.id, state, at_once), over_until)
    visits = _count_bite(db, site, state, until)
    if visits or state.until < state.before:
        store_state(db, site.id, counted_until=until, time_zone=site.time_zone)
    return CountStep(visits, is_last=until >= over_until)


def ask_again(db: Connection, site_id: int) -> None:
    """Have the site's visits counted again."""
    store_state(db, site_id, time_zone="")


def _begin_again(db: Connection, site: Site, state: CountState, now: datetime) -> CountStep:
    site_id = site.id or 0
    if state.is_current:
        ask_again(db, site_id)
    elif not drop_last_day(db, site_id, state.thinned_day):
        store_state(
            db,
            site_id,
            counted_until=EPOCH,
            counted_before=min(max(state.until, state.before), now),
            time_zone=site.time_zone,
        )
    return CountStep(0, is_last=False)


def _bite_end(db: Connection, site_id: int, state: CountState, at_once: int) -> datetime:
    """The last activity up to which there are about so many visits, without that moment itself."""
    activity = col(Visit.last_activity_at)
    later = (col(Visit.site_id) == site_id, activity >= state.until)
    found: datetime | None = db.execute(
        select(activity).where(*later).order_by(activity).offset(at_once).limit(1)
    ).scalar()
    ends = [] if found is None else [max(found, state.until + _MILLISECOND)]
    if state.until < state.before:
        ends.append(state.before)
    return min(ends, default=datetime.max.replace(tzinfo=EPOCH.tzinfo))


def _count_bite(db: Connection, site: Site, state: CountState, until: datetime) -> int:
    activity, began = col(Visit.last_activity_at), col(Visit.started_at)
    bite = (col(Visit.site_id) == site.id, activity >= state.until, activity < until)
    if state.until < state.before:  # the others were counted before, with visits that are deleted
        bite = (*bite, state.are_not_held)
    starts = db.execute(select(began).where(*bite)).scalars().all()
    for day in sorted({local_day(site.time_zone, started_at) for started_at in starts}):
        of_day = (*bite, *began_within(day_period(day, site.time_zone)))
        counts = count_visits(db, site.id or 0, of_day)
        counts += count_by_last_day(db, of_day, site.time_zone)
        add_to_day(db, site.id or 0, day, counts)
    return len(starts)
