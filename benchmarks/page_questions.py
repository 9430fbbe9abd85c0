"""What pages ask the database, as they ask it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlmodel import col

from benchmarks.past_statements import COMMON_WORD, RARE_WORD
from core.chat.search import found_page
from core.chat.store import find_conversation
from core.frames import conversations_frame, messages_frame, picture_at, visitor_at
from core.health.reading import read_health
from core.health.report import CollectorSigns
from core.moment import to_milliseconds
from core.settings import settings
from core.sites import find_site
from core.tables import Conversation, Site, Visit
from core.visitor_data import count_stored, visits_of_person
from core.visits.arrivals import ARRIVING_FOR, count_page_views, drops, last_page_view, origins
from pages.chats.past_tab import ROWS
from pages.invite.invitation_state import read_invitation_state
from pages.parts.snapshots import FIRST_ROWS
from pages.server.payloads import news_since
from pages.visitor.past_chats import read_past_chats


class Looked(NamedTuple):
    """What the pages look at. live: a visit that goes on. chatted: one that is over, with a chat."""

    site: Site
    live: str
    chatted: str
    conversation: str


PageQuestion = Callable[[Connection, Looked, datetime], object]


def what_is_looked_at(db: Connection) -> Looked:
    """The site `shop`, its newest visit and its newest conversation that is over."""
    site = find_site(db, "shop")
    assert site is not None
    newest = select(col(Visit.id)).where(col(Visit.site_id) == site.id)
    live = db.execute(newest.order_by(col(Visit.last_activity_at).desc()).limit(1)).scalar_one()
    chats = select(col(Conversation.visit_id), col(Conversation.id)).where(
        col(Conversation.site_id) == site.id
    )
    newest_chat = chats.order_by(col(Conversation.created_at).desc()).limit(1)
    return Looked(site, live, *db.execute(newest_chat).one())


def _picture(db: Connection, looked: Looked, now: datetime) -> None:
    assert picture_at(db, [looked.site], now, now, FIRST_ROWS).cards.online


def _whole_picture(db: Connection, looked: Looked, now: datetime) -> None:
    assert picture_at(db, [looked.site], now, now).is_whole


def _visitor(visit_of: Callable[[Looked], str]) -> PageQuestion:
    def ask(db: Connection, looked: Looked, now: datetime) -> None:
        visit = visit_of(looked)
        assert visitor_at(db, looked.site, visit, now, now)
        state = read_invitation_state(db, looked.site, visit, now)
        assert state
        read_past_chats(db, state.conversations, now)

    return ask


def _stored_data(db: Connection, looked: Looked, now: datetime) -> None:
    site_id = looked.site.id or 0
    visits = visits_of_person(db, site_id, [looked.chatted])
    assert count_stored(db, site_id, [visit.id for visit in visits]).visits


def _open_chats(db: Connection, looked: Looked, now: datetime) -> None:
    assert news_since(db, 0, to_milliseconds(now))["whole"]


def _past_chats(search: str = "", days: int = 30, page: int = 0) -> PageQuestion:
    def ask(db: Connection, looked: Looked, now: datetime) -> None:
        site_id, period = looked.site.id or 0, (now - timedelta(days=days), now)
        found, _ = found_page(db, site_id, search, *period, limit=ROWS, offset=page * ROWS)
        conversations_frame(db, found)

    return ask


def _transcript(db: Connection, looked: Looked, now: datetime) -> None:
    found = find_conversation(db, looked.site.id or 0, looked.conversation)
    assert found and len(messages_frame(db, [found]))


def _health(db: Connection, looked: Looked, now: datetime) -> None:
    assert read_health(db, settings(), CollectorSigns(), now).sites


def _arrivals(db: Connection, looked: Looked, now: datetime) -> None:
    site_id = looked.site.id or 0
    count_page_views(db, site_id, now - ARRIVING_FOR, now)
    assert last_page_view(db, site_id, now)
    origins(db, site_id)
    drops(db, site_id, now)


QUESTIONS: Mapping[str, PageQuestion] = {
    "live page, first rows": _picture,
    "live page, every row": _whole_picture,
    "visitor page, on the site": _visitor(lambda looked: looked.live),
    "visitor page, over, with a chat": _visitor(lambda looked: looked.chatted),
    "visitor page, stored data": _stored_data,
    "Chats, open": _open_chats,
    "Chats, past 30 days": _past_chats(),
    "Chats, past 90 days, page 100": _past_chats(days=90, page=99),
    "Chats, rare word, 30 days": _past_chats(RARE_WORD),
    "Chats, common word, 30 days": _past_chats(COMMON_WORD),
    "Chats, rare word, 90 days": _past_chats(RARE_WORD, 90),
    "Chats, common word, 90 days": _past_chats(COMMON_WORD, 90),
    "Chats, transcript": _transcript,
    "Sites, arrivals": _arrivals,
    "Health": _health,
}
"""By what is shown."""
