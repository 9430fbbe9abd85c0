"""Counting a site's visits that are over, a step at a time. The caller owns the transaction, and the site's lock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select
from sqlmodel import col

from core.moment import EPOCH, to_milliseconds
from core.rollups.counting import count_visits
from core.rollups.dimensions import began_within
from core.rollups.site_counts import (
    CountState,
    add_to_day,
    count_state,
    drop_last_day,
    store_state,
)
from core.rollups.visit_chunks import add_to_chunks, drop_some_chunks
from core.rollups.visit_columns import VisitColumns, read_visit_columns
from core.rollups.visitor_counts import count_by_last_day
from core.tables import Site, Visit
from core.visits.calendar import day_period, local_day
from core.visits.memories import REMEMBERED_FOR

_MILLISECOND = timedelta(milliseconds=1)

_CLOCKS_DIFFER = timedelta(minutes=30)
"""What is counted further ahead of the clock was counted by one that ran ahead. Nothing of a visit comes later than 90
minutes after its last activity: so much is left of REMEMBERED_FOR."""


class CountStep(NamedTuple):
    """What one step has done. visits: counted. is_last: there is nothing to do until more visits are over."""

    visits: int
    is_last: bool


def count_some(db: Connection, site: Site, now: datetime, at_once: int) -> CountStep:
    """Count the next visits of the site, about `at_once`, and put them into chunks.

    If its time zone has changed, or a clock that ran ahead has counted, what is counted is dropped first, a day
    at a time, but for days of which visits are deleted. Visits that were counted before there were chunks, or are
    to be in them anew, are put there first.
    """
    assert site.id is not None
    state, over_until = count_state(db, site), now - REMEMBERED_FOR
    if not state.is_current or state.until > over_until + _CLOCKS_DIFFER:
        return _begin_again(db, site, state, now)
    if state.chunked_until > over_until + _CLOCKS_DIFFER:
        store_state(db, site.id, chunked_until=EPOCH)
        return CountStep(0, is_last=False)
    if state.chunked_until == EPOCH and drop_some_chunks(db, site.id):
        return CountStep(0, is_last=False)
    counted_until = min(max(state.until, state.before), over_until)
    if state.chunked_until < counted_until:
        until = _bite_end(db, site.id, state.chunked_until, at_once, counted_until)
        _chunk_bite(db, site, state, until)
        return CountStep(0, is_last=False)
    if state.until >= over_until:
        return CountStep(0, is_last=True)
    # Visits that were counted before, or are in chunks already, are counted without the others.
    edges = [moment for moment in (state.before, state.chunked_until) if moment > state.until]
    until = min(_bite_end(db, site.id, state.until, at_once, *edges), over_until)
    visits = _count_bite(db, site, state, until)
    if visits or edges or until < over_until:
        store_state(
            db,
            site.id,
            counted_until=until,
            chunked_until=max(until, state.chunked_until),
            time_zone=site.time_zone,
        )
    return CountStep(visits, is_last=until >= over_until)


def ask_again(db: Connection, site_id: int) -> None:
    """Have the site's visits counted again, and put into chunks anew."""
    store_state(db, site_id, time_zone="", chunked_until=EPOCH)


def _begin_again(db: Connection, site: Site, state: CountState, now: datetime) -> CountStep:
    site_id = site.id or 0
    if state.is_current:
        store_state(db, site_id, time_zone="")
    elif not drop_last_day(db, site_id, state.thinned_day):
        store_state(
            db,
            site_id,
            counted_until=EPOCH,
            counted_before=min(max(state.until, state.before), now),
            time_zone=site.time_zone,
        )
    return CountStep(0, is_last=False)


def _bite_end(
    db: Connection, site_id: int, since: datetime, at_once: int, *edges: datetime
) -> datetime:
    """The last activity up to which there are about so many visits, without that moment itself; none of the edges is
    passed."""
    activity = col(Visit.last_activity_at)
    later = (col(Visit.site_id) == site_id, activity >= since)
    found: datetime | None = db.execute(
        select(activity).where(*later).order_by(activity).offset(at_once).limit(1)
    ).scalar()
    ends = [] if found is None else [max(found, since + _MILLISECOND)]
    return min([*ends, *edges], default=datetime.max.replace(tzinfo=EPOCH.tzinfo))


def _count_bite(db: Connection, site: Site, state: CountState, until: datetime) -> int:
    """How many visits are counted; those that are in no chunk yet are put into one."""
    site_id, began = site.id or 0, col(Visit.started_at)
    bite = _bite(site_id, state.until, until)
    if state.until < state.before:  # the others were counted before, with visits that are deleted
        bite = (*bite, state.are_not_held)
    starts = db.execute(select(began).where(*bite)).scalars().all()
    columns = VisitColumns()
    for day in sorted({local_day(site.time_zone, started_at) for started_at in starts}):
        of_day = (*bite, *began_within(day_period(day, site.time_zone)))
        visits = read_visit_columns(db, site_id, of_day)
        counts = count_visits(db, site_id, visits)
        counts += count_by_last_day(db, of_day, site.time_zone)
        add_to_day(db, site_id, day, counts)
        columns.extend(visits)
    if state.until >= state.chunked_until:
        add_to_chunks(db, site_id, columns, to_milliseconds(state.until))
    return len(starts)


def _chunk_bite(db: Connection, site: Site, state: CountState, until: datetime) -> None:
    site_id, since = site.id or 0, state.chunked_until
    columns = read_visit_columns(db, site_id, _bite(site_id, since, until))
    add_to_chunks(db, site_id, columns, to_milliseconds(since))
    store_state(db, site_id, chunked_until=until)


def _bite(site_id: int, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    activity = col(Visit.last_activity_at)
    return col(Visit.site_id) == site_id, activity >= since, activity < until
