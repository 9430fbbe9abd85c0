"""The tables. Their names and columns are a public interface: see docs/schema.md."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Text, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import declared_attr, registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from core.moment import from_milliseconds, to_milliseconds
from core.page_context import ContextRule, PageContext


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime in Python, whole milliseconds since the epoch in the database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_milliseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_milliseconds(value)


class JsonText(TypeDecorator[Any]):
    """A JSON value kept as text, so that both databases store the same characters."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return json.loads(value) if value else None


class Table(SQLModel, registry=registry()):
    """The base of every table; its own registry lets Streamlit reload this module."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """PageView -> page_view."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


def _moment(**options: Any) -> Any:
    return Field(sa_type=Moment, **options)


class Site(Table, table=True):
    """A website that is tracked."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    name: str
    domains: list[str] = Field(default_factory=list, sa_type=JsonText)
    accepts_null_origin: bool = False
    time_zone: str = "UTC"
    tracking_enabled: bool = True
    context_rules: list[dict[str, str]] = Field(default_factory=list, sa_type=JsonText)
    created_at: datetime = _moment()

    def rules(self) -> tuple[ContextRule, ...]:
        """The owner's own context rules, in the order in which they are tried."""
        return tuple(
            ContextRule(rule["pattern"], PageContext(rule["context"]))
            for rule in self.context_rules
        )


class Visit(Table, table=True):
    """One visitor's run of activity with no gap of 30 minutes."""

    __table_args__ = (
        Index("visit_by_activity", "site_id", "last_activity_at"),
        Index("visit_by_start", "site_id", "started_at"),
        Index(
            "visit_by_follows",
            "site_id",
            "follows",
            sqlite_where=text("follows <> ''"),
            postgresql_where=text("follows <> ''"),
        ),
    )

    site_id: int = Field(primary_key=True)
    id: str = Field(primary_key=True)
    visitor_id: str = ""
    follows: str = ""
    started_at: datetime = _moment()
    last_seen_at: datetime = _moment()
    last_activity_at: datetime = _moment()
    in_view_until: datetime = _moment()
    page_count: int = 0
    entry_path: str = ""
    current_path: str = ""
    current_title: str = ""
    page_context: str = ""
    referrer: str = ""
    source: str = ""
    source_kind: str = ""
    medium: str = ""
    campaign: str = ""
    browser: str = ""
    os: str = ""
    device: str = ""
    country: str = ""
    language: str = ""
    time_zone: str = ""
    attributes: dict[str, str] = Field(default_factory=dict, sa_type=JsonText)
    chat_source: str = ""
    chat_started_at: datetime | None = _moment(default=None)
    chat_message_at: datetime | None = _moment(default=None)
    memory: str = Field(default="", sa_type=Text)


class PageView(Table, table=True):
    """One page shown in one tab."""

    __table_args__ = {"sqlite_with_rowid": False}

    site_id: int = Field(primary_key=True)
    visit_id: str = Field(primary_key=True)
    tab: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    viewed_at: datetime = _moment()
    path: str
    title: str = ""
    page_context: str = ""


class VisitSpan(Table, table=True):
    """A stretch of time in which a visit was in view, active or chatting.

    Kept in the order of its rows on SQLite: spans are extended with nearly every beacon, and in the
    order of their keys each of them would be a page of its own to write.
    """

    site_id: int = Field(primary_key=True)
    visit_id: str = Field(primary_key=True)
    tab: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    from_at: datetime = _moment()
    until_at: datetime = _moment()
    is_open: bool = True


class VisitCount(Table, table=True):
    """Visits that started in one slot of 15 minutes."""

    __table_args__ = {"sqlite_with_rowid": False}

    site_id: int = Field(primary_key=True)
    starts_at: datetime = _moment(primary_key=True)
    visits: int = 0


class DropCount(Table, table=True):
    """Beacons that were not stored, by reason and slot of 15 minutes; site 0: no known site."""

    __table_args__ = {"sqlite_with_rowid": False}

    site_id: int = Field(primary_key=True)
    starts_at: datetime = _moment(primary_key=True)
    reason: str = Field(primary_key=True)
    hits: int = 0


class SiteOrigin(Table, table=True):
    """A host from which beacons of a site arrive."""

    site_id: int = Field(primary_key=True)
    host: str = Field(primary_key=True)
    first_seen_at: datetime = _moment()
    last_seen_at: datetime = _moment()
    hits: int = 0


class CollectorWarning(Table, table=True):
    """A fault in the set-up that only the collector can see, told on the Sites page."""

    name: str = Field(primary_key=True)
    first_seen_at: datetime = _moment()
    last_seen_at: datetime = _moment()


class Salt(Table, table=True):
    """The secret of one day (UTC), from which visit ids are derived without storage."""

    day: str = Field(primary_key=True)
    value: str
