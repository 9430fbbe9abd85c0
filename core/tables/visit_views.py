"""What is stored of each visit, with readable names: SQL views on the tables of `core.tables.visit_rows`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import registry
from sqlmodel import Field

from core.tables.base import Named, moment


class View(Named, registry=registry()):
    """The base of every view; nothing is inserted into one."""


class PageView(View, table=True):
    """One page shown in one tab."""

    site_id: int = Field(primary_key=True)
    visit_id: str = Field(primary_key=True)
    tab: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    viewed_at: datetime = moment()
    path: str
    title: str = ""
    page_context: str = ""


class VisitSpan(View, table=True):
    """A stretch of time in which a visit was in view, active or chatting."""

    site_id: int = Field(primary_key=True)
    visit_id: str = Field(primary_key=True)
    tab: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    from_at: datetime = moment()
    until_at: datetime = moment()
    is_open: bool = True


class VisitChange(View, table=True):
    """What changed on a visit, and is not told by a page view: its current page, attributes, cart."""

    site_id: int = Field(primary_key=True)
    visit_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    changed_at: datetime = moment()
    kind: str
    path: str = ""
    title: str = ""
    page_context: str = ""
    told: str = Field(default="", sa_type=Text)
