"""Notices: what happened that somebody should know, who wants to hear of it, and where it was sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Index, column
from sqlmodel import Field

from core.tables.base import JsonText, PartialIndex, Table, moment


class AgentNotices(Table, table=True):
    """What an agent hears of in the browser. kinds: those that are switched on. minutes: how long a visitor is in
    Cart or Checkout before it is told. Quiet hours in minutes of the day of time_zone, past midnight too; the
    same twice: none.
    """

    agent_id: int = Field(primary_key=True)
    kinds: Any = Field(default_factory=list, sa_type=JsonText)
    minutes: int = 5
    quiet_from: int = 0
    quiet_until: int = 0
    time_zone: str = "UTC"


class NoticeAddress(Table, table=True):
    """Where notices of a site go. url: in Apprise's notation; it may hold a password, and is shown to nobody.

    with_words: what a visitor has written goes along. told_at: when it last worked. fault: of the last attempt,
    without the address; "" when it worked.
    """

    site_id: int = Field(primary_key=True)
    id: str = Field(primary_key=True)
    url: str
    kinds: Any = Field(default_factory=list, sa_type=JsonText)
    minutes: int = 5
    with_words: bool = False
    is_enabled: bool = True
    created_at: datetime = moment()
    told_at: datetime | None = moment(default=None)
    fault: str = ""
    fault_at: datetime | None = moment(default=None)


class Notice(Table, table=True):
    """One event that somebody wants to hear of, stored once however often it is found.

    id: made from the event, so that the same event is the same notice. visit_id, conversation_id: of whom
    it tells. minutes: of a visitor in Cart or Checkout, how long they had been there; else 0. revision: grows
    with each notice of the site.
    """

    __table_args__ = (
        Index("notice_by_revision", "site_id", "revision", unique=True),
        Index("notice_by_time", "site_id", "happened_at"),
        Index("notice_by_visit", "site_id", "visit_id"),
    )

    site_id: int = Field(primary_key=True)
    id: str = Field(primary_key=True)
    kind: str
    minutes: int = 0
    visit_id: str = ""
    conversation_id: str = ""
    happened_at: datetime = moment()
    revision: int = Field(sa_type=BigInteger)


class NoticeDelivery(Table, table=True):
    """A notice on its way to one address: its row goes once it was sent, or given up."""

    __table_args__ = (
        PartialIndex("notice_delivery_due", "due_at", where=~column("is_given_up", Boolean)),
    )

    site_id: int = Field(primary_key=True)
    notice_id: str = Field(primary_key=True)
    address_id: str = Field(primary_key=True)
    due_at: datetime = moment()
    attempts: int = 0
    is_given_up: bool = False
