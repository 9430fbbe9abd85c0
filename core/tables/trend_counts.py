"""What is counted of local days, and stays when their visits go."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field

from core.tables.base import Table, moment

_BY_KEY: dict[str, bool] = {"sqlite_with_rowid": False}


class TrendSite(Table, table=True):
    """How far the visits of a site are counted: those whose last activity is before `counted_until`.

    time_zone: the one whose days they are counted by. thinned_day: the last day of which visits were deleted for
    their age, as in `trend_count`; 0: none. thinned_until: its end. counted_before: up to when the visits of such days
    had been counted when the others were begun again. chunked_until: those with an earlier last activity are in
    `visit_chunk`.
    """

    site_id: int = Field(primary_key=True)
    counted_until: datetime = moment()
    counted_before: datetime = moment()
    thinned_day: int = 0
    thinned_until: datetime = moment()
    time_zone: str
    chunked_until: datetime = moment()


class TrendCount(Table, table=True):
    """What is counted of the visits that began on a day and have a value: `core.rollups.counting.Count`."""

    __table_args__: ClassVar[dict[str, bool]] = _BY_KEY

    site_id: int = Field(primary_key=True)
    day: int = Field(primary_key=True)
    dimension: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    visits: int = 0
    page_views: int = 0
    one_page_visits: int = 0
    seconds: int = Field(default=0, sa_type=BigInteger)


class VisitChunk(Table, table=True):
    """Some visits that are over, once more as columns: a question about many reads them in a fraction of the time.

    since: its visits have a last activity from this moment, in milliseconds, up to the next one's. first_began,
    last_began: when the first and the last of them began. of_visits, of_views: `core.rollups.chunk_bytes`.
    """

    site_id: int = Field(primary_key=True)
    since: int = Field(primary_key=True, sa_type=BigInteger)
    visits: int
    views: int
    first_began: int = Field(sa_type=BigInteger)
    last_began: int = Field(sa_type=BigInteger)
    of_visits: bytes = Field(sa_type=LargeBinary)
    of_views: bytes = Field(sa_type=LargeBinary)
