"""Which local days of a site are counted, and what was counted of them. The caller owns the transaction.

A day is counted once nothing can come any more that belongs to its visits. It is counted again from its visits
as long as they are all there: when its site's time zone has changed, or on request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlmodel import col

from core.rollups.counting import Count, count_visits
from core.rollups.day_number import date_of, number_of
from core.rollups.dimensions import Dimension
from core.rollups.visitors import count_by_last_day
from core.tables import Site, Visit
from core.tables import Table as Base
from core.visits.calendar import Period, day_period, local_day
from core.visits.memories import REMEMBERED_FOR

MOST_VALUES = 1_000
"""Values of a dimension that a day keeps one by one, those of most visits; the others are summed. Only of pages,
campaigns and the like there may be more: without a bound a site whose every page has an address of its own would
fill the disk with them."""

REST = " rest"
"""The value of what is summed. It begins with a space, as no stored text does."""

WAITS_AT_MOST = timedelta(days=7)
"""For a visit that does not end: after that its day is counted as it is then (own)."""

_DAY = timedelta(days=1)
_tables = Base.metadata.tables
_day, _count = _tables["trend_day"], _tables["trend_count"]
_MEASURES = Count._fields[2:]


class CountedDay(NamedTuple):
    """A local day that is counted, and its bounds as they were then. is_thinned: some of its visits are deleted."""

    day: date
    bounds: Period
    is_thinned: bool

    def holds(self, time_zone: str) -> bool:
        """Whether what was counted is the day of this time zone, or all that is left of it."""
        return self.is_thinned or self.bounds == day_period(self.day, time_zone)


def counted_days(db: Connection, site: Site, first: date = date.min) -> dict[date, CountedDay]:
    """The days of the site, from the first on, that are counted, and hold in its time zone."""
    rows = db.execute(
        select(_day).where(_day.c.site_id == site.id, _day.c.day >= number_of(first))
    ).mappings()
    found = (
        CountedDay(date_of(row["day"]), Period(row["from_at"], row["until_at"]), row["is_thinned"])
        for row in rows
    )
    return {each.day: each for each in found if each.holds(site.time_zone)}


def read_days(
    db: Connection, site_id: int, days: Sequence[date], dimensions: Collection[Dimension]
) -> list[Count]:
    """What was counted of these days together, in ascending order."""
    counts: list[Count] = []
    sums = [func.sum(_count.c[name]) for name in _MEASURES]
    for first, last in _runs(days):
        statement = (
            select(_count.c.dimension, _count.c.value, *sums)
            .where(
                _count.c.site_id == site_id,
                _count.c.day.between(number_of(first), number_of(last)),
                _count.c.dimension.in_([dimension.value for dimension in dimensions]),
            )
            .group_by(_count.c.dimension, _count.c.value)
        )
        counts += [Count(row[0], row[1], *map(int, row[2:])) for row in db.execute(statement)]
    return counts


def next_due_day(db: Connection, site: Site, now: datetime) -> date | None:
    """The oldest day that is to be counted and can be; None: none is."""
    oldest = oldest_day(db, site)
    day = None if oldest is None else _first_uncounted(db, site, oldest)
    if day is None or day >= local_day(site.time_zone, now):
        return None
    return day if is_over(db, site, day, now) else None


def days_counted_until(db: Connection, site: Site) -> datetime | None:
    """Up to when all visits of the site are of counted days; None: the oldest one is not."""
    oldest = oldest_day(db, site)
    day = None if oldest is None else _first_uncounted(db, site, oldest)
    if day is None or day == oldest:
        return None
    return day_period(day, site.time_zone).from_at


def oldest_day(db: Connection, site: Site) -> date | None:
    """The day on which the oldest visit that is stored began."""
    started_at = col(Visit.started_at)
    statement = select(started_at).where(col(Visit.site_id) == site.id).order_by(started_at)
    oldest: datetime | None = db.execute(statement.limit(1)).scalar()
    return None if oldest is None else local_day(site.time_zone, oldest)


def _first_uncounted(db: Connection, site: Site, day: date) -> date:
    counted = counted_days(db, site, day)
    while day in counted:
        day += _DAY
    return day


def is_over(db: Connection, site: Site, day: date, now: datetime) -> bool:
    """Whether nothing can come any more that belongs to the visits which began on the day."""
    bounds = day_period(day, site.time_zone)
    over_since = now - REMEMBERED_FOR
    if bounds.until_at > over_since:
        return False
    if bounds.until_at <= now - WAITS_AT_MOST:
        return True
    going_on = select(col(Visit.number)).where(
        col(Visit.site_id) == site.id,
        col(Visit.last_activity_at) >= over_since,
        col(Visit.started_at) < bounds.until_at,
    )
    return db.execute(going_on.limit(1)).first() is None


def store_day(
    db: Connection, site_id: int, day: date, bounds: Period, counts: Iterable[Count]
) -> None:
    """Keep what was counted of the day, in place of what was."""
    number = number_of(day)
    drop_days(db, site_id, [day])
    rows = [
        {"site_id": site_id, "day": number, **count._asdict()} for count in most_of_each(counts)
    ]
    if rows:
        db.execute(insert(_count), rows)
    from_at, until_at = bounds
    is_known = {"site_id": site_id, "day": number, "is_thinned": False}
    db.execute(insert(_day), {**is_known, "from_at": from_at, "until_at": until_at})


def drop_days(db: Connection, site_id: int, days: Iterable[date]) -> None:
    """Forget what was counted of these days."""
    for table in (_count, _day):
        for day in days:
            db.execute(
                delete(table).where(table.c.site_id == site_id, table.c.day == number_of(day))
            )


def days_ahead(db: Connection, site_id: int, now: datetime) -> list[date]:
    """Counted days that are not over yet: the clock ran ahead then."""
    ahead = select(_day.c.day).where(_day.c.site_id == site_id, _day.c.until_at > now)
    return [date_of(day) for day in db.execute(ahead).scalars()]


def note_thinned(db: Connection, site_id: int, visit_ids: Collection[str]) -> None:
    """Say that these visits are about to be deleted because they are old: what was counted of their days stays."""
    moments = (func.min(col(Visit.started_at)), func.max(col(Visit.started_at)))
    are_these = (col(Visit.site_id) == site_id, col(Visit.id).in_(visit_ids))
    first, last = db.execute(select(*moments).where(*are_these)).one()
    if first is not None:
        is_theirs = (_day.c.site_id == site_id, _day.c.from_at <= last, _day.c.until_at > first)
        db.execute(update(_day).where(*is_theirs, ~_day.c.is_thinned).values(is_thinned=True))


def take_out(db: Connection, site_id: int, visit_ids: Collection[str]) -> None:
    """Take visits that are about to be deleted, because their visitor is forgotten, out of what was counted."""
    are_these = (col(Visit.site_id) == site_id, col(Visit.id).in_(visit_ids))
    starts = db.execute(select(col(Visit.started_at)).where(*are_these)).scalars().all()
    if not starts:
        return
    time_zone = db.execute(select(col(Site.time_zone)).where(col(Site.id) == site_id)).scalar_one()
    days = db.execute(
        select(_day.c.day, _day.c.from_at, _day.c.until_at).where(
            _day.c.site_id == site_id, _day.c.from_at <= max(starts), _day.c.until_at > min(starts)
        )
    ).all()
    for day, from_at, until_at in days:
        began = col(Visit.started_at)
        of_day = (*are_these, began >= from_at, began < until_at)
        counts = count_visits(db, of_day, list(Dimension))
        for count in [*counts, *count_by_last_day(db, of_day, time_zone)]:
            _subtract(db, site_id, day, count)
        db.execute(
            delete(_count).where(
                _count.c.site_id == site_id, _count.c.day == day, _count.c.visits <= 0
            )
        )


def most_of_each(counts: Iterable[Count], most: int = MOST_VALUES) -> list[Count]:
    """Of each dimension the `most` values of most visits; the others as one, REST."""
    of: dict[str, list[Count]] = {}
    for count in counts:
        of.setdefault(count.dimension, []).append(count)
    kept: list[Count] = []
    for dimension, values in of.items():
        # What was summed before stays so.
        values.sort(
            key=lambda count: (count.value == REST, -count.visits, -count.page_views, count.value)
        )
        named = [count for count in values[:most] if count.value != REST]
        rest = values[len(named) :]
        kept += named
        if rest:
            sums = (sum(count[2 + place] for count in rest) for place in range(len(_MEASURES)))
            kept.append(Count(dimension, REST, *sums))
    return kept


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


def _runs(days: Sequence[date]) -> list[tuple[date, date]]:
    """The first and the last of days that follow one another without a gap."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and runs[-1][1] + _DAY == day:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs
