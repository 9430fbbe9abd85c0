"""What each chat call does in the database: one function for an action, its response as it travels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from collector.chat.request import ChatAction, ChatRequest
from collector.http.responses import Offer
from collector.site_cache import TrackedSite
from core.chat.closing import is_long_over
from core.chat.conversations import (
    end,
    find_by_token,
    find_conversation,
    note_read,
    note_typing,
    open_as_visitor,
)
from core.chat.invitations import accept, dismiss, note_delivered, note_shown
from core.chat.messages import say_as_visitor
from core.chat.queries import messages
from core.chat.rules import list_rules, open_by_rule
from core.chat.states import Author, ClosedBy, Trigger
from core.chat.visit_chat import find_visit_state
from core.reasons import Reason, Refused
from core.tables import Conversation
from core.visits.visit_id import MAX_SUCCESSORS, is_derived, successor_id


class ChatResult(Struct, omit_defaults=True):
    """The response to a call: state and revision; token of a new conversation; number of a message."""

    id: int
    state: str = ""
    c: str = ""
    number: int = 0


Order = Callable[[Connection, int, ChatRequest, datetime], ChatResult | Refused]
_Change = Callable[[Connection, Conversation, datetime], Conversation | Refused]


def open_conversation(
    db: Connection,
    site: TrackedSite,
    visit_ids: Sequence[str],
    call: ChatRequest,
    is_attended: bool,
    now: datetime,
) -> ChatResult | Refused:
    """The visitor begins a conversation; its token is given this once."""
    visit_id = _newest_visit(db, site.id, visit_ids, now)
    opened = open_as_visitor(
        db,
        site_id=site.id,
        visit_id=visit_id,
        tab=call.t if is_derived(visit_id) else "",
        client_id=call.n,
        text=call.x,
        is_offered=site.chat_button,
        is_attended=is_attended,
        now=now,
    )
    if isinstance(opened, Refused):
        return opened
    return ChatResult(opened.revision, opened.state, opened.token)


def open_invitation(
    db: Connection,
    site: TrackedSite,
    visit_ids: Sequence[str],
    call: ChatRequest,
    now: datetime,
    name_of: Callable[[int], str],
) -> Offer | Refused:
    """The visitor is about to leave: the rule's invitation, if it may be given now."""
    rules = [rule for rule in list_rules(db, site.id) if rule.id == call.r]
    if not rules or rules[0].trigger != Trigger.EXIT:
        return Refused(Reason.NOT_NOW)
    visit_id = _newest_visit(db, site.id, visit_ids, now)
    visit = find_visit_state(db, site.id, visit_id)
    if visit is None or rules[0].page_context not in ("", visit.page_context):
        return Refused(Reason.NOT_NOW)
    invited = open_by_rule(db, rules[0], site=site.row, visit_id=visit_id, now=now)
    if isinstance(invited, Refused):
        return Refused(Reason.NOT_NOW)
    deliver(db, site.id, invited.id, call.t if is_derived(visit_id) else "", now)
    text = messages(db, site.id, invited.id)[0].text
    return Offer("invite", k=invited.token, sender=name_of(invited.agent_id), text=text)


def deliver(db: Connection, site_id: int, conversation_id: str, tab: str, now: datetime) -> str:
    """The only tab that may have the invitation, which a beacon's response carries; "": any tab."""
    note_delivered(db, site_id, conversation_id, tab, now)
    found = find_conversation(db, site_id, conversation_id)
    return found.tab if found is not None else ""


def _newest_visit(db: Connection, site_id: int, visit_ids: Sequence[str], now: datetime) -> str:
    """Of the ids under which the visit may go on, the newest live one, also as a successor."""
    for first in reversed(visit_ids):
        visit_id = first
        for ordinal in range(1, MAX_SUCCESSORS):
            visit = find_visit_state(db, site_id, visit_id)
            if visit is None:
                break
            if visit.is_live(now):
                return visit_id
            visit_id = successor_id(site_id, first, ordinal)
    return visit_ids[-1]


def _find(db: Connection, site_id: int, call: ChatRequest, now: datetime) -> Conversation | Refused:
    """The conversation of the call's token."""
    conversation = find_by_token(db, site_id, call.c)
    if conversation is None:
        return Refused(Reason.NO_CONVERSATION)
    return Refused(Reason.OVER) if is_long_over(conversation, now) else conversation


def _changes(change: _Change) -> Order:
    """An action whose response is the state of its conversation."""

    def order(
        db: Connection, site_id: int, call: ChatRequest, now: datetime
    ) -> ChatResult | Refused:
        conversation = _find(db, site_id, call, now)
        if isinstance(conversation, Refused):
            return conversation
        changed = change(db, conversation, now)
        if isinstance(changed, Refused):
            return changed
        return ChatResult(changed.revision, changed.state)

    return order


def _end(db: Connection, conversation: Conversation, now: datetime) -> Conversation | Refused:
    return end(db, conversation, ClosedBy.VISITOR, now)


def _type(db: Connection, conversation: Conversation, now: datetime) -> Conversation | Refused:
    return note_typing(db, conversation, Author.VISITOR, now)


def _read(db: Connection, site_id: int, call: ChatRequest, now: datetime) -> ChatResult | Refused:
    def read(db: Connection, conversation: Conversation, now: datetime) -> Conversation | Refused:
        return note_read(db, conversation, Author.VISITOR, call.to, now)

    return _changes(read)(db, site_id, call, now)


def _send(db: Connection, site_id: int, call: ChatRequest, now: datetime) -> ChatResult | Refused:
    conversation = _find(db, site_id, call, now)
    if isinstance(conversation, Refused):
        return conversation
    said = say_as_visitor(db, conversation, client_id=call.n, text=call.x, now=now)
    if isinstance(said, Refused):
        return said
    return ChatResult(said.revision, number=said.number)


ORDERS: dict[ChatAction, Order] = {
    ChatAction.SHOWN: _changes(note_shown),
    ChatAction.ACCEPT: _changes(accept),
    ChatAction.DISMISS: _changes(dismiss),
    ChatAction.END: _changes(_end),
    ChatAction.TYPING: _changes(_type),
    ChatAction.READ: _read,
    ChatAction.SEND: _send,
}
