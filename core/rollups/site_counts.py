"""What is counted of a site's visits by local day: how far, read, added to, and taken out of.

A visit is counted once nothing can come any more that belongs to it: in the order of last activities. So those with an
earlier one than `CountState.until` are counted, on the day on which they began, and the others are read from their rows.
The caller owns the transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    cast,
    delete,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlmodel import col

from core.database import insert_into
from core.moment import EPOCH, to_milliseconds
from core.plain_rows import plain_rows
from core.rollups.counting import Count, add_up, count_visits
from core.rollups.day_number import are_of, number_of
from core.rollups.dimensions import STARTED_AT, Dimension, began_within
from core.rollups.visit_columns import read_visit_columns
from core.rollups.visitor_counts import count_by_last_day
from core.tables import Site, Visit
from core.tables import Table as Base
from core.visits.calendar import day_period, local_day

MOST_VALUES = 1_000
"""Values of a dimension that a day keeps one by one, those that come first; the others are summed. Only of pages,
campaigns and the like there may be more: without a bound a site whose every page has an address of its own would
fill the disk with them."""

LONGEST_VALUE = 2_000
"""Bytes of a value that has a row of its own: Postgres keeps no key above 2,704, and a path may have 4,096."""

REST = " rest"
"""The value of what is summed. It begins with a space, as no stored text does."""

_count, _site = (Base.metadata.tables[name] for name in ("trend_count", "trend_site"))
_MEASURES = Count._fields[2:]
_MOMENTS = ("counted_until", "counted_before", "thinned_until", "chunked_until")


@dataclass(frozen=True)
class CountState:
    """How far visits of a site are counted, by their last activity.

    thinned_day: the last day of which visits were deleted for their age, as a number; it ended at thinned_until. before:
    up to when the visits until then were counted, though others are begun again. chunked_until: visits with an earlier
    last activity are in chunks (`core.rollups.visit_chunks`), in whatever zone. is_current: they are
    counted by the days of the site's time zone; else only days up to thinned_day hold.
    """

    until: datetime
    before: datetime
    thinned_day: int
    thinned_until: datetime
    chunked_until: datetime
    is_current: bool

    @property
    def deletable_until(self) -> datetime:
        """Visits with an earlier last activity may be deleted for their age: they are counted, and for good.

        None while visits are counted again: others of their days, which then stay as they are, are still to be.
        """
        return self.until if self.is_current and self.until >= self.before else EPOCH

    @property
    def are_not_held(self) -> ColumnElement[bool]:
        """The condition that a visit is not in what is counted of days up to thinned_day."""
        return or_(
            to_milliseconds(self.thinned_until) <= STARTED_AT + 0,
            col(Visit.last_activity_at) >= max(self.until, self.before),
        )


def count_state(db: Connection, site: Site) -> CountState:
    """How far the site's visits are counted."""
    row = db.execute(select(_site).where(_site.c.site_id == site.id)).mappings().first()
    if row is None:
        return CountState(EPOCH, EPOCH, 0, EPOCH, EPOCH, is_current=True)
    return CountState(
        row["counted_until"],
        row["counted_before"],
        row["thinned_day"],
        row["thinned_until"],
        row["chunked_until"],
        is_current=row["time_zone"] == site.time_zone,
    )


def store_state(db: Connection, site_id: int, **changes: Any) -> None:
    """Change some columns of the site's row; one that is not there gets the others as before anything is counted."""
    moments = dict.fromkeys(_MOMENTS, EPOCH)
    new = {**moments, "thinned_day": 0, "time_zone": "", **changes}
    statement = insert_into(db, _site).values(site_id=site_id, **new)
    db.execute(statement.on_conflict_do_update(index_elements=["site_id"], set_=changes))


def read_days(
    db: Connection, site_id: int, days: Sequence[date], dimensions: Collection[Dimension]
) -> list[Count]:
    """What is counted of these days together."""
    if not days:
        return []
    sums = (cast(func.sum(_count.c[name]), BigInteger) for name in _MEASURES)
    statement = (
        select(_count.c.dimension, _count.c.value, *sums)
        .where(
            _count.c.site_id == site_id,
            are_of(days, _count.c.day),
            _count.c.dimension.in_([dimension.value for dimension in dimensions]),
        )
        .group_by(_count.c.value, _count.c.dimension)  # values differ sooner: a fifth less to sort
    )
    return [*map(Count._make, plain_rows(db, statement))]


def add_to_day(db: Connection, site_id: int, day: date, counts: Iterable[Count]) -> None:
    """Add what was counted of more visits of the day."""
    number = number_of(day)
    is_its = (_count.c.site_id == site_id, _count.c.day == number)
    known: dict[str, set[str]] = {}
    for dimension, value in db.execute(select(_count.c.dimension, _count.c.value).where(*is_its)):
        known.setdefault(dimension, set()).add(value)
    kept = add_up(_or_rest(count, known.setdefault(count.dimension, set())) for count in counts)
    rows = [{"site_id": site_id, "day": number, **count._asdict()} for count in kept]
    if rows:
        insert = insert_into(db, _count)
        more = {name: _count.c[name] + insert.excluded[name] for name in _MEASURES}
        key = list(_count.primary_key.columns.keys())
        db.execute(insert.on_conflict_do_update(index_elements=key, set_=more), rows)


def drop_last_day(db: Connection, site_id: int, after: int) -> bool:
    """Delete what is counted of the last day, of those after this number; False: there is none."""
    later = (_count.c.site_id == site_id, _count.c.day > after)
    last: int | None = db.execute(select(func.max(_count.c.day)).where(*later)).scalar()
    if last is None:
        return False
    db.execute(delete(_count).where(_count.c.site_id == site_id, _count.c.day == last))
    return True


def note_thinned(db: Connection, site: Site, visit_ids: Collection[str]) -> None:
    """Say that these visits, which are counted, are about to be deleted for their age: what was counted stays."""
    are_these = (col(Visit.site_id) == site.id, col(Visit.id).in_(visit_ids))
    newest = db.execute(select(func.max(col(Visit.started_at))).where(*are_these)).scalar()
    if newest is not None:
        day = local_day(site.time_zone, newest)
        ends_at = day_period(day, site.time_zone).until_at
        is_earlier = (_site.c.site_id == site.id, _site.c.thinned_until < ends_at)
        new = {"thinned_day": number_of(day), "thinned_until": ends_at}
        db.execute(update(_site).where(*is_earlier).values(new))


def take_out(db: Connection, site: Site, visit_ids: Collection[str]) -> None:
    """Take visits that are about to be deleted, because their visitor is forgotten, out of what is counted."""
    state = count_state(db, site)
    are_counted = (
        col(Visit.site_id) == site.id,
        col(Visit.id).in_(visit_ids),
        or_(col(Visit.last_activity_at) < state.until, not_(state.are_not_held)),
    )
    of_days: defaultdict[date, list[str]] = defaultdict(list)
    for visit_id, started_at in db.execute(
        select(col(Visit.id), col(Visit.started_at)).where(*are_counted)
    ):
        of_days[local_day(site.time_zone, started_at)].append(visit_id)
    for day, ids in sorted(of_days.items()):
        is_one = (col(Visit.site_id) == site.id, col(Visit.id).in_(ids))
        of_day = (*is_one, *began_within(day_period(day, site.time_zone)))
        counts = count_visits(db, site.id or 0, read_visit_columns(db, site.id or 0, of_day))
        for count in [*counts, *count_by_last_day(db, of_day, site.time_zone)]:
            _subtract(db, site.id or 0, number_of(day), count)
        is_its = (_count.c.site_id == site.id, _count.c.day == number_of(day))
        db.execute(delete(_count).where(*is_its, _count.c.visits <= 0))


def _or_rest(count: Count, known: set[str]) -> Count:
    if count.value not in known and (
        len(known) >= MOST_VALUES or len(count.value.encode()) > LONGEST_VALUE
    ):
        return count._replace(value=REST)
    known.add(count.value)
    return count


def _subtract(db: Connection, site_id: int, day: int, count: Count) -> None:
    """From the value's row, or where it has none, from that of the rest."""
    less: dict[Any, Any] = {name: _count.c[name] - getattr(count, name) for name in _MEASURES}
    for value in (count.value, REST):
        is_it = (
            _count.c.site_id == site_id,
            _count.c.day == day,
            _count.c.dimension == count.dimension,
            _count.c.value == value,
        )
        if db.execute(update(_count).where(*is_it).values(less)).rowcount:
            return
