"""How many visits started in a stretch of time. The roll-up table keeps that cheap for years."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, func, select
from sqlmodel import col

from core.tables import VisitCount
from core.visits.calendar import Period


def visits_started(db: Connection, site_id: int, periods: Sequence[Period]) -> list[int]:
    """The visits that started in each of the periods, whose bounds are quarters of an hour."""
    starts_at = col(VisitCount.starts_at)
    statement = select(*(_sum_within(period) for period in periods)).where(
        col(VisitCount.site_id) == site_id,
        starts_at >= min(period.from_at for period in periods),
        starts_at < max(period.until_at for period in periods),
    )
    return list(db.execute(statement).one())


def _sum_within(period: Period) -> ColumnElement[int]:
    starts_at = col(VisitCount.starts_at)
    total = func.sum(col(VisitCount.visits)).filter(
        starts_at >= period.from_at, starts_at < period.until_at
    )
    return func.coalesce(total, 0)
