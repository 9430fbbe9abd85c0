"""The tables. Their names and columns are a public interface: see docs/schema.md."""

from sqlalchemy.orm import configure_mappers

from core.tables.base import JsonText, Moment, Table
from core.tables.chat import IS_OPEN, Agent, ChatRule, ChatTemplate, Conversation, Message
from core.tables.visits import (
    Backlog,
    CollectorWarning,
    DropCount,
    PageView,
    Salt,
    Site,
    SiteOrigin,
    Visit,
    VisitCount,
    VisitSpan,
)

__all__ = [
    "IS_OPEN",
    "Agent",
    "Backlog",
    "ChatRule",
    "ChatTemplate",
    "CollectorWarning",
    "Conversation",
    "DropCount",
    "JsonText",
    "Message",
    "Moment",
    "PageView",
    "Salt",
    "Site",
    "SiteOrigin",
    "Table",
    "Visit",
    "VisitCount",
    "VisitSpan",
]

# What `Table.of` makes can be read only after this.
configure_mappers()
