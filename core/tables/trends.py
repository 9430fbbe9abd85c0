"""What is counted of whole local days, and stays when their visits go."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger
from sqlmodel import Field

from core.tables.base import Table, moment

_BY_KEY: dict[str, bool] = {"sqlite_with_rowid": False}


class TrendDay(Table, table=True):
    """A local day of a site that is counted in `trend_count`; day: 20261130.

    is_thinned: rows of its visits have been deleted since, so that it cannot be counted again.
    """

    __table_args__: ClassVar[dict[str, bool]] = _BY_KEY

    site_id: int = Field(primary_key=True)
    day: int = Field(primary_key=True)
    from_at: datetime = moment()
    until_at: datetime = moment()
    is_thinned: bool = False


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
