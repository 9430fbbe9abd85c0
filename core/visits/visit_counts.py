"""How many visits started in a stretch of time. The roll-up table keeps that cheap for years."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select
from sqlmodel import col

from core.moment import EPOCH
from core.tables import Visit, VisitCount
from core.visits.calendar import Period
from core.visits.presence import COUNT_SLOT


def visits_started(db: Connection, site_id: int, periods: Sequence[Period]) -> list[int]:
    """The visits that started in each of the periods, whose bounds are quarters of an hour."""
    values: dict[str, Any] = {
        "site_id": site_id,
        "first": min(period.from_at for period in periods),
        "end": max(period.until_at for period in periods),
    }
    for place, period in enumerate(periods):
        values |= {f"from_{place}": period.from_at, f"until_{place}": period.until_at}
    return list(db.execute(_sums(len(periods)), values).one())


def visits_started_by(
    db: Connection, site_id: int, periods: Sequence[Period], moment: datetime
) -> list[int]:
    """The same up to a moment, which is counted in: of its quarter of an hour the visits themselves are counted."""
    slot = EPOCH + (moment - EPOCH) // COUNT_SLOT * COUNT_SLOT
    whole = [Period(period.from_at, min(period.until_at, slot)) for period in periods]
    started_at = col(Visit.started_at)
    statement = select(func.count()).where(
        col(Visit.site_id) == site_id, started_at >= slot, started_at <= moment
    )
    since = db.execute(statement).scalar_one()
    return [
        visits + (since if period.from_at <= slot < period.until_at else 0)
        for visits, period in zip(visits_started(db, site_id, whole), periods, strict=True)
    ]


@lru_cache
def _sums(number: int) -> Select[*tuple[Any, ...]]:
    """The visits of each of so many periods. Made once for each number: to make it takes longer than it runs."""
    starts_at = col(VisitCount.starts_at)
    return select(*(_sum_within(place) for place in range(number))).where(
        col(VisitCount.site_id) == bindparam("site_id"),
        starts_at >= bindparam("first"),
        starts_at < bindparam("end"),
    )


def _sum_within(place: int) -> ColumnElement[int]:
    starts_at = col(VisitCount.starts_at)
    total = func.sum(col(VisitCount.visits)).filter(
        starts_at >= bindparam(f"from_{place}"), starts_at < bindparam(f"until_{place}")
    )
    return func.coalesce(total, 0)
