"""How many visitors there were: visits whose visitor had none before in the same days.

Different visitors of several days do not add up. But each has one first visit in them: one whose visitor came last
before these days, or never. So of each day is kept how many of its visits had a visitor who came last on which day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    func,
    literal,
    or_,
    select,
    text,
    type_coerce,
)
from sqlmodel import col

from core.moment import from_milliseconds, to_milliseconds
from core.rollups.counting import Count
from core.rollups.day_number import are_of, number_of
from core.rollups.dimensions import STARTED_AT, Dimension
from core.tables import Table, Visit
from core.visits.calendar import local_day

_visit = Table.metadata.tables["visit"]
_earlier = _visit.alias("earlier")
_count = Table.metadata.tables["trend_count"]
_IS_REMEMBERED = col(Visit.visitor_id) != ""
_earlier_at = type_coerce(_earlier.c.started_at, BigInteger)
_came_before = and_(
    _earlier.c.site_id == _visit.c.site_id,
    _earlier.c.visitor_id == _visit.c.visitor_id,
    text("earlier.visitor_id <> ''"),  # the condition of the partial index, word for word
    _earlier_at <= STARTED_AT,
    or_(_earlier_at < STARTED_AT, _earlier.c.number < _visit.c.number),
)


def count_by_last_day(
    db: Connection, wanted: Sequence[ColumnElement[bool]], time_zone: str
) -> list[Count]:
    """Of these visits, which are of one site, how many had a visitor whose visit before began on which local day.

    The values are numbers of days; "": there is none that is stored.
    """
    before = select(_earlier_at).where(_came_before).order_by(_earlier.c.started_at.desc()).limit(1)
    statement = select(before.correlate(_visit).scalar_subquery()).where(*wanted, _IS_REMEMBERED)
    days = Counter(_day_of(moment, time_zone) for moment in db.execute(statement).scalars())
    return [Count(Dimension.VISITOR.value, day, visits, 0, 0, 0) for day, visits in days.items()]


def count_visitors(db: Connection, wanted: Sequence[ColumnElement[bool]]) -> int:
    """How many different visitors that the site remembers began these visits."""
    different = func.count(col(Visit.visitor_id).distinct())
    return db.execute(select(different).where(*wanted, _IS_REMEMBERED)).scalar_one()


def visitors_of(db: Connection, wanted: Sequence[ColumnElement[bool]]) -> Sequence[str]:
    """The ids of those visitors, each once."""
    different = select(col(Visit.visitor_id)).where(*wanted, _IS_REMEMBERED).distinct()
    return db.execute(different).scalars().all()


def count_first_visits(
    db: Connection, wanted: Sequence[ColumnElement[bool]], since: datetime
) -> int:
    """Of these visits those whose visitor had none before since this moment."""
    is_since = _earlier_at >= to_milliseconds(since)
    came = select(literal(1)).select_from(_earlier).where(_came_before, is_since)
    statement = select(func.count()).select_from(_visit)
    is_first = ~came.correlate(_visit).exists()
    return db.execute(statement.where(*wanted, _IS_REMEMBERED, is_first)).scalar_one()


def read_first_visits(db: Connection, site_id: int, days: Sequence[date], since: date) -> int:
    """The same of what is counted of whole days."""
    if not days:
        return 0
    visits = func.coalesce(func.sum(_count.c.visits), 0)
    statement = select(visits).where(
        _count.c.site_id == site_id,
        are_of(days, _count.c.day),
        _count.c.dimension == Dimension.VISITOR.value,
        _count.c.value < str(number_of(since)),
    )
    return int(db.execute(statement).scalar_one())


def _day_of(moment: int | None, time_zone: str) -> str:
    if moment is None:
        return ""
    return str(number_of(local_day(time_zone, from_milliseconds(moment))))
