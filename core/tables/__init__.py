"""The tables. Their names and columns are a public interface: see docs/schema.md."""

from sqlalchemy.orm import configure_mappers

from core.tables.accounts import AgentSite, Secret, Session, SignInLink
from core.tables.base import JsonText, Moment, Table
from core.tables.chat import (
    IS_OPEN,
    Agent,
    ChatBlock,
    ChatRule,
    ChatTemplate,
    Conversation,
    ConversationNote,
    Message,
)
from core.tables.chat_looks import ChatLook
from core.tables.mail import MailAnswer, MailServer
from core.tables.notices import AgentNotices, Notice, NoticeAddress, NoticeDelivery
from core.tables.trend_counts import TrendCount, TrendSite, VisitChunk
from core.tables.visit_rows import (
    Page,
    PageViewRow,
    VisitChangeRow,
    VisitMemory,
    VisitSequence,
    VisitSpanRow,
    VisitTab,
)
from core.tables.visit_views import PageView, View, VisitChange, VisitSpan
from core.tables.visits import (
    IS_LONG,
    IS_VERY_LONG,
    Backlog,
    Backup,
    ChoreRun,
    Collector,
    CollectorWarning,
    DropCount,
    Salt,
    Site,
    SiteChange,
    SiteOrigin,
    Visit,
    VisitCount,
    VisitEdit,
)

__all__ = [
    "IS_LONG",
    "IS_OPEN",
    "IS_VERY_LONG",
    "Agent",
    "AgentNotices",
    "AgentSite",
    "Backlog",
    "Backup",
    "ChatBlock",
    "ChatLook",
    "ChatRule",
    "ChatTemplate",
    "ChoreRun",
    "Collector",
    "CollectorWarning",
    "Conversation",
    "ConversationNote",
    "DropCount",
    "JsonText",
    "MailAnswer",
    "MailServer",
    "Message",
    "Moment",
    "Notice",
    "NoticeAddress",
    "NoticeDelivery",
    "Page",
    "PageView",
    "PageViewRow",
    "Salt",
    "Secret",
    "Session",
    "SignInLink",
    "Site",
    "SiteChange",
    "SiteOrigin",
    "Table",
    "TrendCount",
    "TrendSite",
    "View",
    "Visit",
    "VisitChange",
    "VisitChangeRow",
    "VisitChunk",
    "VisitCount",
    "VisitEdit",
    "VisitMemory",
    "VisitSequence",
    "VisitSpan",
    "VisitSpanRow",
    "VisitTab",
]

# What `Table.of` makes can be read only after this.
configure_mappers()
