"""What is stored of each visit besides its row, as small as it gets.

A row names its visit by `visit.number`, so that the rows of a site lie in the order of time: new ones are
appended, and those that are deleted together lie together. Moments are milliseconds after `visit.started_at`.
`core.tables.visit_views` shows them with readable names.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, SmallInteger, Text
from sqlmodel import Field

from core.tables.base import Table

_BY_KEY: dict[str, bool] = {"sqlite_with_rowid": False}


class VisitSequence(Table, table=True):
    """How many visits of a site were ever opened: the number of the newest one."""

    __table_args__: ClassVar[dict[str, bool]] = _BY_KEY

    site_id: int = Field(primary_key=True)
    last: int = 0


class VisitMemory(Table, table=True):
    """What the collector must remember of a visit that may still change."""

    __table_args__: ClassVar[dict[str, bool]] = _BY_KEY

    site_id: int = Field(primary_key=True)
    visit: int = Field(primary_key=True)
    memory: str = Field(sa_type=Text)


class VisitTab(Table, table=True):
    """The browser's id of a tab, as long as its visit may change; tab: its ordinal in the visit."""

    __table_args__: ClassVar[dict[str, bool]] = _BY_KEY

    site_id: int = Field(primary_key=True)
    visit: int = Field(primary_key=True)
    tab: int = Field(primary_key=True)
    id: str


class Page(Table, table=True):
    """What pages say of themselves, stored once; uses: the rows that name it. id: `core.visits.row_keys`."""

    __table_args__: ClassVar[dict[str, bool]] = _BY_KEY

    site_id: int = Field(primary_key=True)
    id: int = Field(primary_key=True, sa_type=BigInteger)
    uses: int = 0
    path: str
    title: str = ""
    page_context: str = ""


class PageViewRow(Table, table=True):
    """A row of `page_view`."""

    __table_args__: ClassVar[dict[str, bool]] = _BY_KEY

    site_id: int = Field(primary_key=True)
    visit: int = Field(primary_key=True)
    tab: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    viewed_after: int = Field(sa_type=BigInteger)
    page: int = Field(sa_type=BigInteger)


class VisitSpanRow(Table, table=True):
    """A row of `visit_span`; kind: `core.visits.row_keys`."""

    __table_args__: ClassVar[dict[str, bool]] = _BY_KEY

    site_id: int = Field(primary_key=True)
    visit: int = Field(primary_key=True)
    tab: int = Field(primary_key=True)
    kind: int = Field(primary_key=True, sa_type=SmallInteger)
    number: int = Field(primary_key=True)
    is_open: bool = True
    from_after: int = Field(sa_type=BigInteger)
    length: int = Field(sa_type=BigInteger)


class VisitChangeRow(Table, table=True):
    """A row of `visit_change`; page: 0 where the kind has none."""

    __table_args__: ClassVar[dict[str, bool]] = _BY_KEY

    site_id: int = Field(primary_key=True)
    visit: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    kind: int = Field(sa_type=SmallInteger)
    changed_after: int = Field(sa_type=BigInteger)
    page: int = Field(default=0, sa_type=BigInteger)
    told: str = Field(default="", sa_type=Text)
