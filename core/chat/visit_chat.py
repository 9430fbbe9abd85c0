"""What a conversation does to its visit: the status Chatting, activity, the span of the chat."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Update, bindparam, case, select, update

from core.chat.states import ConversationState
from core.database import insert_into
from core.moment import lasts_for, to_milliseconds
from core.sites import is_removed
from core.tables import Conversation, Table
from core.visits.presence import CHATTING_FOR, ChatSource, SpanKind
from core.visits.row_keys import SPAN_KINDS, chat_tab
from core.visits.visit_edits import note_edit

_SPAN_NUMBER = 1
_ACCEPTED = 0
"""The number of the activity that begins a chat; that of a message has the message's."""

_visit, _span, _conversation = (
    Table.metadata.tables[name] for name in ("visit", "visit_span_row", "conversation")
)
_OF_VISIT = (_visit.c.site_id == bindparam("of_site"), _visit.c.id == bindparam("of_visit"))


class VisitState(NamedTuple):
    """The columns of a visit that the chat's rules read."""

    started_at: datetime
    last_seen_at: datetime
    last_activity_at: datetime
    chat_source: str
    chat_started_at: datetime | None
    chat_message_at: datetime | None
    page_context: str
    visitor_id: str


_find_state = select(*(_visit.c[name] for name in VisitState._fields)).where(
    *_OF_VISIT, ~is_removed(_visit.c.site_id)
)
_find_start = select(_visit.c.number, _visit.c.started_at).where(*_OF_VISIT)
_find_open = select(_conversation.c.id).where(
    _conversation.c.site_id == bindparam("of_site"),
    _conversation.c.visit_id == bindparam("of_visit"),
    _conversation.c.state == ConversationState.OPEN.value,
)
_end_chat = (
    update(_visit)
    .where(*_OF_VISIT, _visit.c.chat_source == ChatSource.BUILT_IN.value)
    .values(chat_source=ChatSource.NONE.value)
)


def find_visit_state(db: Connection, site_id: int, visit_id: str) -> VisitState | None:
    """The visit's state, or None when the site has no visit of this id, or is being deleted."""
    row = db.execute(_find_state, {"of_site": site_id, "of_visit": visit_id}).one_or_none()
    return None if row is None else VisitState(*row)


def begin_chat(db: Connection, conversation: Conversation, now: datetime) -> None:
    """The visit is chatting from now on. To accept a chat is activity."""
    _write(
        db,
        conversation,
        chat_source=ChatSource.BUILT_IN.value,
        chat_started_at=now,
        chat_message_at=now,
        **_activity(db, conversation, now),
    )
    _end_third_party_chat(db, conversation, now)
    _note_activity(db, conversation, now, _ACCEPTED)
    _extend_span(db, conversation, now, is_open=True)


def record_visitor_message(db: Connection, conversation: Conversation, now: datetime) -> None:
    """The chat goes on, and the visitor is active."""
    _write(db, conversation, chat_message_at=now, **_activity(db, conversation, now))
    _note_activity(db, conversation, now, conversation.message_count)
    _extend_span(db, conversation, now, is_open=True)


def record_agent_message(db: Connection, conversation: Conversation, now: datetime) -> None:
    """The chat goes on; the visitor has done nothing."""
    _write(db, conversation, chat_message_at=now)
    _extend_span(db, conversation, now, is_open=True)


def end_chat(db: Connection, conversation: Conversation, at: datetime) -> None:
    """The visit, if it still exists, is no longer chatting, unless another tab of it is."""
    if find_visit_state(db, conversation.site_id, conversation.visit_id) is None:
        return
    if db.execute(_find_open, _keys(conversation)).first() is None:
        db.execute(_end_chat, _keys(conversation))
    _extend_span(db, conversation, at, is_open=False)


def _activity(db: Connection, conversation: Conversation, now: datetime) -> dict[str, datetime]:
    """Moments that move forward, never back."""
    state = find_visit_state(db, conversation.site_id, conversation.visit_id)
    if state is None:
        return {}
    return {
        "last_activity_at": max(state.last_activity_at, now),
        "last_seen_at": max(state.last_seen_at, now),
    }


def _write(db: Connection, conversation: Conversation, **columns: Any) -> None:
    changes = {f"new_{name}": value for name, value in columns.items()}
    db.execute(_update(tuple(columns)), {**_keys(conversation), **changes})


def _note_activity(db: Connection, conversation: Conversation, now: datetime, number: int) -> None:
    """A span without length: each of a chat's moments has its own, so that a past moment knows the last one."""
    visit = db.execute(_find_start, _keys(conversation)).one_or_none()
    if visit is None:
        return
    span = {
        "site_id": conversation.site_id,
        "visit": visit.number,
        "tab": chat_tab(conversation.id),
        "kind": SPAN_KINDS[SpanKind.ACTIVE],
        "number": number,
        "is_open": False,
        "from_after": to_milliseconds(now) - to_milliseconds(visit.started_at),
        "length": 0,
    }
    db.execute(insert_into(db, _span).on_conflict_do_nothing(), span)


def _end_third_party_chat(db: Connection, conversation: Conversation, now: datetime) -> None:
    """Another product's chat that goes on ends when ours begins: the visit is in one at a time."""
    visit = db.execute(_find_start, _keys(conversation)).one_or_none()
    if visit is None:
        return
    after = to_milliseconds(now) - to_milliseconds(visit.started_at)
    goes_on = (
        update(_span)
        .where(
            _span.c.site_id == conversation.site_id,
            _span.c.visit == visit.number,
            _span.c.kind == SPAN_KINDS[SpanKind.CHATTING],
            _span.c.tab >= 0,
            _span.c.is_open,
            lasts_for(CHATTING_FOR, _span.c.from_after + _span.c.length, after),
        )
        .values(is_open=False, length=bindparam("ends", after, BigInteger) - _span.c.from_after)
    )
    db.execute(goes_on)


def _extend_span(
    db: Connection, conversation: Conversation, until: datetime, *, is_open: bool
) -> None:
    """The span of the chat, which belongs to no tab; nothing where the visit is deleted. All that a chat
    writes of its visit ends with it, so it also says that the visit was edited.

    It never ends before it begins, though the clock has jumped back since.
    """
    note_edit(db, conversation.site_id, conversation.visit_id)
    visit = db.execute(_find_start, _keys(conversation)).one_or_none()
    if visit is None:
        return
    began = to_milliseconds(conversation.accepted_at or until) - to_milliseconds(visit.started_at)
    ends = to_milliseconds(until) - to_milliseconds(visit.started_at)
    span = {
        "site_id": conversation.site_id,
        "visit": visit.number,
        "tab": chat_tab(conversation.id),
        "kind": SPAN_KINDS[SpanKind.CHATTING],
        "number": _SPAN_NUMBER,
        "is_open": is_open,
        "from_after": began,
        "length": max(ends - began, 0),
    }
    insert = insert_into(db, _span)
    lasts = bindparam("ends", ends, BigInteger) - _span.c.from_after
    extend = insert.on_conflict_do_update(
        index_elements=list(_span.primary_key),
        set_={
            "length": case((lasts < 0, 0), else_=lasts),
            "is_open": insert.excluded.is_open,
        },
    )
    db.execute(extend, span)


@cache
def _update(columns: tuple[str, ...]) -> Update:
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    return update(_visit).where(*_OF_VISIT).values(new)


def _keys(conversation: Conversation) -> dict[str, Any]:
    return {"of_site": conversation.site_id, "of_visit": conversation.visit_id}
