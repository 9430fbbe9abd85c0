"""What has happened that somebody wants to hear of: one rule for each kind, found by SQL along the indexes.

An event that is a notice already is not found again. What happened long ago is none any more: after a pause of the
collector nobody hears of visitors who have gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    String,
    Text,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    type_coerce,
)
from sqlmodel import col

from core.chat.limits import TYPING_FOR
from core.chat.states import ConversationState
from core.moment import from_milliseconds, lasts_for
from core.notices.kinds import STAYS, NoticeKind
from core.notices.wishes import Wish
from core.tables import Conversation, Notice, Visit, VisitChangeRow, VisitMemory
from core.visits.live_visits import are_live
from core.visits.liveness import is_in_view
from core.visits.presence import ChangeKind
from core.visits.row_keys import CHANGE_KINDS
from core.visits.tab_state import read_memory

WAITS_AFTER = timedelta(seconds=30)
"""A visitor's message that is unanswered for so long is told (own: a minute is what visitors bear)."""

LEFT_WITHIN = timedelta(days=1)
"""A left message is told also after a night without a collector."""

SEEN_WITHIN = timedelta(minutes=10)
"""What a visitor did longer ago is not told any more (own)."""


class NoticeEvent(NamedTuple):
    """A notice that is to be. id: made of what makes this event another one than the next of its kind."""

    site_id: int
    id: str
    kind: NoticeKind
    minutes: int
    visit_id: str
    conversation_id: str
    happened_at: datetime


Sites = Sequence[int]


def find_events(
    db: Connection, wanted: Mapping[int, Iterable[Wish]], now: datetime
) -> list[NoticeEvent]:
    """What is wanted and new, by site and wish; the oldest first."""
    sites_of: dict[Wish, list[int]] = {}
    for site_id, wishes in wanted.items():
        for wish in wishes:
            sites_of.setdefault(wish, []).append(site_id)
    found = [
        event
        for wish, sites in sites_of.items()
        for event in _RULES[wish.kind](db, wish, sorted(sites), now)
    ]
    return sorted(found, key=lambda event: event.happened_at)


def _waiting_chats(
    db: Connection, wish: Wish, sites: Sites, now: datetime
) -> Iterator[NoticeEvent]:
    """A visitor's message is unanswered for WAITS_AFTER, by the agent who has the chat or by anybody.

    While an agent writes the answer, it is not told.
    """
    since, typing = col(Conversation.waiting_since), col(Conversation.agent_typing_at)
    id = _id_of(wish, col(Conversation.id), cast(type_coerce(since, BigInteger), String))
    statement = _chats(id, sites, ConversationState.OPEN, since).where(
        since <= now - WAITS_AFTER,
        or_(typing.is_(None), ~lasts_for(TYPING_FOR, typing, now)),
    )
    for row in db.execute(statement):
        yield _event(wish, row, row.at + WAITS_AFTER)


def _left_messages(
    db: Connection, wish: Wish, sites: Sites, now: datetime
) -> Iterator[NoticeEvent]:
    """A message was left while nobody was there."""
    created_at = col(Conversation.created_at)
    id = _id_of(wish, col(Conversation.id))
    statement = _chats(id, sites, ConversationState.LEFT, created_at)
    for row in db.execute(statement.where(created_at > now - LEFT_WITHIN)):
        yield _event(wish, row, row.at)


def _stays(db: Connection, wish: Wish, sites: Sites, now: datetime) -> Iterator[NoticeEvent]:
    """A visitor is in the context for so many minutes, and the page is in view: once in a visit."""
    id = _id_of(wish, col(Visit.id), str(wish.minutes))
    statement = _visits(id, type_coerce(VisitMemory.memory, Text)).join(VisitMemory, _IS_MEMORY)
    statement = statement.where(
        are_live(sites, now),
        col(Visit.page_context) == STAYS[wish.kind].value,
        is_in_view(Visit, now),
    )
    for row in db.execute(statement):
        since = from_milliseconds(read_memory(row.at).context_at)
        told_at = since + timedelta(minutes=wish.minutes)
        if now - SEEN_WITHIN < told_at <= now:
            yield _event(wish, row, told_at)


def _returning_visitors(
    db: Connection, wish: Wish, sites: Sites, now: datetime
) -> Iterator[NoticeEvent]:
    """A remembered visitor begins another visit."""
    started_at = col(Visit.started_at)
    statement = _visits(_id_of(wish, col(Visit.id)), started_at).where(
        are_live(sites, now), started_at > now - SEEN_WITHIN, col(Visit.visit_number) > 1
    )
    for row in db.execute(statement):
        yield _event(wish, row, row.at)


def _named_visitors(
    db: Connection, wish: Wish, sites: Sites, now: datetime
) -> Iterator[NoticeEvent]:
    """A visit has got its first name or e-mail address by `identify`."""
    named_after: Any = (
        select(func.min(col(VisitChangeRow.changed_after)))
        .where(
            _IS_CHANGE,
            col(VisitChangeRow.kind) == CHANGE_KINDS[ChangeKind.ATTRIBUTES],
            _has_name(VisitChangeRow.told),
        )
        .correlate(Visit)
        .scalar_subquery()
    )
    named_at = type_coerce(Visit.started_at, BigInteger) + named_after
    statement = _visits(_id_of(wish, col(Visit.id)), named_at).where(
        are_live(sites, now), _has_name(Visit.attributes), named_after.is_not(None)
    )
    for row in db.execute(statement):
        told_at = from_milliseconds(row.at)
        if told_at > now - SEEN_WITHIN:
            yield _event(wish, row, told_at)


_Rule = Callable[[Connection, Wish, Sites, datetime], Iterator[NoticeEvent]]
_RULES: Mapping[NoticeKind, _Rule] = {
    NoticeKind.CHAT_WAITS: _waiting_chats,
    NoticeKind.MESSAGE_LEFT: _left_messages,
    NoticeKind.CHECKOUT: _stays,
    NoticeKind.CART: _stays,
    NoticeKind.RETURNING: _returning_visitors,
    NoticeKind.NAMED: _named_visitors,
}

_IS_MEMORY = and_(
    col(VisitMemory.site_id) == col(Visit.site_id), col(VisitMemory.visit) == col(Visit.number)
)
_IS_CHANGE = and_(
    col(VisitChangeRow.site_id) == col(Visit.site_id),
    col(VisitChangeRow.visit) == col(Visit.number),
)


def _id_of(wish: Wish, *parts: Any) -> ColumnElement[str]:
    """What `_event` gives the notice as its id, in SQL."""
    id: ColumnElement[str] = literal(wish.kind.value)
    for part in parts:
        id = id + "-" + part
    return id


def _chats(id: ColumnElement[str], sites: Sites, state: ConversationState, at: Any) -> Select[Any]:
    of_chat: list[Any] = [
        col(Conversation.site_id),
        col(Conversation.visit_id),
        col(Conversation.id).label("conversation_id"),
    ]
    statement: Any = select(*of_chat, id.label("id"), at.label("at"))
    return statement.where(
        col(Conversation.state) == state.value,
        col(Conversation.site_id).in_(sites),
        _is_new(id, col(Conversation.site_id)),
    )


def _visits(id: ColumnElement[str], at: Any) -> Select[Any]:
    of_visit: list[Any] = [col(Visit.site_id), col(Visit.id).label("visit_id")]
    no_chat: Any = literal("").label("conversation_id")
    statement: Any = select(*of_visit, no_chat, id.label("id"), at.label("at"))
    return statement.where(_is_new(id, col(Visit.site_id)))


def _is_new(id: ColumnElement[str], site_id: Any) -> ColumnElement[bool]:
    known = select(col(Notice.id)).where(col(Notice.site_id) == site_id, col(Notice.id) == id)
    return ~known.correlate_except(Notice).exists()


def _has_name(attributes: Any) -> ColumnElement[bool]:
    """In JSON as it is stored: a name within another value has a backslash before its quotation marks."""
    text = type_coerce(attributes, Text)
    named = (and_(text.like(f'%"{key}":"%'), ~text.like(f'%"{key}":""%')) for key in _NAMES)
    return or_(*named)


_NAMES = ("name", "email")
"""The attributes by which `core.visits.labels.visitor_name` names a visitor."""


def _event(wish: Wish, row: Any, at: datetime) -> NoticeEvent:
    of_whom = row.visit_id, row.conversation_id
    return NoticeEvent(row.site_id, row.id, wish.kind, wish.minutes, *of_whom, at)
