"""The sites, their visits, and what is counted of them."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field

from core.enrich.page_context import ContextRule, PageContext
from core.tables.base import JsonText, PartialIndex, Table, moment

IS_LONG = text("last_activity_at - started_at >= 3600000")
IS_VERY_LONG = text("last_activity_at - started_at >= 28800000")
"""From its start to its last activity an hour, or eight. A query with exactly this condition may use the index
`visit_long`, or `visit_very_long`."""


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
    created_at: datetime = moment()
    chat_button: bool = False
    removed_at: datetime | None = moment(default=None)
    own_networks: list[str] = Field(default_factory=list, sa_type=JsonText)
    query_keys: list[str] = Field(default_factory=list, sa_type=JsonText)
    funnel_steps: list[dict[str, str]] = Field(default_factory=list, sa_type=JsonText)

    @property
    def identity(self) -> tuple[str, datetime]:
        """What no other site ever has: one that is added later may get the id or the key of a deleted one."""
        return self.key, self.created_at

    def rules(self) -> tuple[ContextRule, ...]:
        """The owner's own context rules, in the order in which they are tried."""
        return tuple(
            ContextRule(rule["pattern"], PageContext(rule["context"]))
            for rule in self.context_rules
        )


class Visit(Table, table=True):
    """One visitor's run of activity with no gap of 30 minutes."""

    __table_args__ = (
        Index("visit_by_number", "site_id", "number", unique=True),
        Index("visit_by_activity", "site_id", "last_activity_at"),
        Index("visit_by_start", "site_id", "started_at"),
        PartialIndex(
            "visit_by_follows",
            "site_id",
            "follows",
            where=text("follows <> ''"),
        ),
        PartialIndex(
            "visit_by_visitor",
            "site_id",
            "visitor_id",
            "started_at",
            where=text("visitor_id <> ''"),
        ),
        PartialIndex("visit_long", "site_id", "started_at", where=IS_LONG),
        PartialIndex("visit_very_long", "site_id", "started_at", where=IS_VERY_LONG),
    )

    site_id: int = Field(primary_key=True)
    id: str = Field(primary_key=True)
    visitor_id: str = ""
    follows: str = ""
    started_at: datetime = moment()
    last_seen_at: datetime = moment()
    last_activity_at: datetime = moment()
    in_view_until: datetime = moment()
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
    cart_value: float = 0.0
    cart_currency: str = ""
    visit_number: int = 0
    chat_source: str = ""
    chat_started_at: datetime | None = moment(default=None)
    chat_message_at: datetime | None = moment(default=None)
    number: int = 0


class VisitEdit(Table, table=True):
    """Who has written the visits of a site last, so that a writer may keep them in memory.

    writer: the one, or "" when somebody has changed any of them since. batch: its number. edited_visits: the ids of
    visits that others have changed since, each with a space behind it.
    """

    site_id: int = Field(primary_key=True)
    writer: str = ""
    batch: int = Field(default=0, sa_type=BigInteger)
    edited_visits: str = Field(default="", sa_type=Text)


class VisitCount(Table, table=True):
    """Visits that started in one slot of 15 minutes."""

    __table_args__: ClassVar[dict[str, bool]] = {"sqlite_with_rowid": False}

    site_id: int = Field(primary_key=True)
    starts_at: datetime = moment(primary_key=True)
    visits: int = 0


class DropCount(Table, table=True):
    """Beacons that were not stored, by reason and slot of 15 minutes; site 0: no known site."""

    __table_args__: ClassVar[dict[str, bool]] = {"sqlite_with_rowid": False}

    site_id: int = Field(primary_key=True)
    starts_at: datetime = moment(primary_key=True)
    reason: str = Field(primary_key=True)
    hits: int = 0


class SiteOrigin(Table, table=True):
    """A host from which beacons of a site arrive."""

    site_id: int = Field(primary_key=True)
    host: str = Field(primary_key=True)
    first_seen_at: datetime = moment()
    last_seen_at: datetime = moment()
    hits: int = 0


class SiteChange(Table, table=True):
    """A number that grows whenever something that a page shows of the site has changed."""

    site_id: int = Field(primary_key=True)
    revision: int = Field(default=0, sa_type=BigInteger)


class Collector(Table, table=True):
    """A collector that records, when it last said so, and how it was then.

    queued: hits that waited. commit_ms: the longest commit since the heartbeat before. reader_since: since
    when a reader of the SQLite file keeps its log from being moved into it; None without one. reader: which
    program that is; "" where it cannot be seen.
    """

    id: str = Field(primary_key=True)
    version: str = ""
    started_at: datetime = moment()
    seen_at: datetime = moment()
    queued: int = 0
    commit_ms: int = 0
    reader_since: datetime | None = moment(default=None)
    reader: str = ""


class CollectorWarning(Table, table=True):
    """A fault in the set-up that only the collector can see, shown on the Sites page."""

    name: str = Field(primary_key=True)
    first_seen_at: datetime = moment()
    last_seen_at: datetime = moment()


class Salt(Table, table=True):
    """The secret of one day (UTC), from which visit ids are derived without storage."""

    day: str = Field(primary_key=True)
    value: str


class Backlog(Table, table=True):
    """Work that an upgrade has left to the running collector, and how far it is."""

    name: str = Field(primary_key=True)
    position: str = ""


class ChoreRun(Table, table=True):
    """When a chore of the collector's housekeeping last ran, and when it last had nothing left to do."""

    name: str = Field(primary_key=True)
    ran_at: datetime = moment()
    done_at: datetime | None = moment(default=None)


class Backup(Table, table=True):
    """A copy of the database that was made: whoever asks for deletion has to be told of it."""

    id: int | None = Field(default=None, primary_key=True)
    made_at: datetime = moment()
    kind: str
    file: str
    size: int = Field(default=0, sa_type=BigInteger)
