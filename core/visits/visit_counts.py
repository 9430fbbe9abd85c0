"""How many visits started in a stretch of time. The roll-up table keeps that cheap for years."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select
from sqlmodel import col

from core.moment import EPOCH
from core.tables import Visit, VisitCount
from core.visits.calendar import Period
from core.visits.presence import COUNT_SLOT


def visits_started(db: Connection, site_id: int, periods: Sequence[Period]) -> list[int]:
    """The visits that started in each of the periods, whose bounds are quarters of an hour."""
    starts_at = col(VisitCount.starts_at)
    statement = select(*(_sum_within(period) for period in periods)).where(
        col(VisitCount.site_id) == site_id,
        starts_at >= min(period.from_at for period in periods),
        starts_at < max(period.until_at for period in periods),
    )
    return list(db.execute(statement).one())


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


def _sum_within(period: Period) -> ColumnElement[int]:
    starts_at = col(VisitCount.starts_at)
    total = func.sum(col(VisitCount.visits)).filter(
        starts_at >= period.from_at, starts_at < period.until_at
    )
    return func.coalesce(total, 0)
