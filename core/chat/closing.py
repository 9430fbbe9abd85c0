"""When a conversation ends by itself, and what its end changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select
from sqlmodel import col

from core.chat.limits import CHAT_ENDS_AFTER, INVITATION_EXPIRES_AFTER, READABLE_FOR
from core.chat.states import OPEN_STATES, ClosedBy, ConversationState
from core.chat.store import change, find_conversation
from core.chat.visit_chat import VisitState, end_chat, find_visit_state
from core.locks import TAKE_WITHIN, lock_site, take_sites
from core.moment import lasts_for, lasts_until
from core.sites import is_removed
from core.tables import Conversation, Visit
from core.visits.liveness import visit_ends_at, visit_goes_on

CLOSED_AT_ONCE = 200
"""Conversations that one transaction closes, so that beacons never wait long for it."""


class Patience(NamedTuple):
    """A conversation is over this long after the newest of these moments of it."""

    length: timedelta
    since: tuple[str, ...]
    is_of_tab: bool = False
    """Only where the conversation belongs to one tab: nobody hears when that is gone."""


PATIENCE = {
    ConversationState.QUEUED: Patience(INVITATION_EXPIRES_AFTER, ("created_at",)),
    ConversationState.DELIVERED: Patience(
        INVITATION_EXPIRES_AFTER, ("delivered_at",), is_of_tab=True
    ),
    ConversationState.SHOWN: Patience(INVITATION_EXPIRES_AFTER, ("created_at", "shown_at")),
    ConversationState.OPEN: Patience(CHAT_ENDS_AFTER, ("accepted_at", "message_at")),
}
"""When nobody answers an invitation, or says anything in a chat: one entry for each open state. Of a delivered
invitation the minutes do not run: as long as the visitor's page hides it, nobody can answer."""


_REFUSALS = frozenset((ClosedBy.AGENT, ClosedBy.CONSENT, ClosedBy.OPT_OUT))
"""Of ends, those after which nobody writes to the visitor: an agent has seen to it, or the visitor wants no more."""


class End(NamedTuple):
    """How a conversation has ended by itself, and when."""

    state: ConversationState
    by: ClosedBy
    at: datetime


def lock_conversation(
    db: Connection, conversation: Conversation, now: datetime
) -> Conversation | None:
    """The conversation as it is now, under the lock of its site; closed first if it has ended.

    None when it has been deleted.
    """
    lock_site(db, conversation.site_id)
    found = find_conversation(db, conversation.site_id, conversation.id)
    return None if found is None else _settle(db, found, now)


def expires_at(conversation: Conversation) -> datetime | None:
    """When the open conversation is over by itself, unless somebody answers before.

    None: with the visit only.
    """
    length, since, is_of_tab = PATIENCE[ConversationState(conversation.state)]
    if is_of_tab and not conversation.tab:
        return None
    moments = (getattr(conversation, name) for name in since)
    known = (moment for moment in moments if moment is not None)
    return max(known, default=conversation.created_at) + length


def find_end(conversation: Conversation, visit: VisitState | None, now: datetime) -> End | None:
    """How the conversation has ended by itself by now, or None while it goes on."""
    if conversation.state not in OPEN_STATES:
        return None
    is_open = conversation.state == ConversationState.OPEN
    state = ConversationState.ENDED if is_open else ConversationState.EXPIRED
    if visit is None:
        return End(state, ClosedBy.VISIT, now)
    first = End(state, ClosedBy.VISIT, visit_ends_at(visit.last_activity_at))
    silent_at = expires_at(conversation)
    if silent_at is not None and silent_at <= first.at:
        first = End(state, ClosedBy.SILENCE, silent_at)
    return None if lasts_until(first.at, now) else first


def is_long_over(conversation: Conversation, now: datetime) -> bool:
    """Whether the visitor can no longer read it: an old conversation would surprise them."""
    closed_at = conversation.closed_at
    return closed_at is not None and not lasts_for(READABLE_FOR, closed_at, now)


def close(
    db: Connection,
    conversation: Conversation,
    state: ConversationState,
    by: ClosedBy,
    now: datetime,
    at: datetime | None = None,
) -> Conversation:
    """The conversation, closed; its visit is no longer chatting.

    A chat whose visitor waits for an answer, and has said where to send it, is a message that was left.
    """
    was_open = conversation.state == ConversationState.OPEN
    if was_open and _waits_for_mail(conversation) and by not in _REFUSALS:
        state = ConversationState.LEFT
    closed = change(
        db,
        conversation,
        now,
        state=state.value,
        closed_by=by.value,
        closed_at=at or now,
        waiting_since=None,
        vacated_at=None,
        given_at=None,
        agent_typing_at=None,
        visitor_typing_at=None,
    )
    if was_open:
        end_chat(db, conversation, at or now)
    return closed


def _waits_for_mail(conversation: Conversation) -> bool:
    return bool(conversation.email) and conversation.waiting_since is not None


def cut_short(
    db: Connection, conversation: Conversation, by: ClosedBy, now: datetime
) -> Conversation:
    """The open conversation, closed: a chat as ended, an invitation as expired."""
    is_open = conversation.state == ConversationState.OPEN
    state = ConversationState.ENDED if is_open else ConversationState.EXPIRED
    return close(db, conversation, state, by, now)


def close_due(db: Connection, now: datetime) -> int:
    """Close the conversations that have ended by themselves; how many, at most CLOSED_AT_ONCE.

    Those of a site that somebody else writes for longer are left for the next time.
    """
    ended = _all_ended(now).limit(CLOSED_AT_ONCE)
    found = db.execute(ended).mappings().all()
    sites = {row["site_id"] for row in found}
    taken = take_sites(db, sites, TAKE_WITHIN)
    if busy := sites - taken:  # whose chats may have left no room for those of others
        of_others = col(Conversation.site_id).not_in(busy)
        found = db.execute(ended.where(of_others)).mappings().all()
        taken |= take_sites(db, {row["site_id"] for row in found})
    due = [Conversation.of(row) for row in found if row["site_id"] in taken]
    for conversation in due:
        lock_conversation(db, conversation, now)
    return len(due)


def _settle(db: Connection, conversation: Conversation, now: datetime) -> Conversation:
    if conversation.state not in OPEN_STATES:
        return conversation
    visit = find_visit_state(db, conversation.site_id, conversation.visit_id)
    end = find_end(conversation, visit, now)
    if end is None:
        return conversation
    return close(db, conversation, end.state, end.by, now, end.at)


def _all_ended(now: datetime) -> Select[Any]:
    """`find_end` of every conversation in one statement: thousands of them cost milliseconds."""
    of_visit = and_(
        col(Visit.site_id) == col(Conversation.site_id), col(Visit.id) == col(Conversation.visit_id)
    )
    return (
        select(Conversation)
        .outerjoin(Visit, of_visit)
        .where(
            col(Conversation.state).in_(sorted(OPEN_STATES)),
            or_(
                col(Visit.id).is_(None),
                is_removed(col(Conversation.site_id)),
                ~visit_goes_on(col(Visit.last_activity_at), now),
                *(_has_expired(state, now) for state in PATIENCE),
            ),
        )
    )


def _has_expired(state: ConversationState, now: datetime) -> ColumnElement[bool]:
    """The condition under which a conversation in the state has reached `expires_at`."""
    length, since, is_of_tab = PATIENCE[state]
    moments = (col(getattr(Conversation, name)) for name in since)
    return and_(
        col(Conversation.state) == state.value,
        *([col(Conversation.tab) != ""] if is_of_tab else []),
        *(moment.is_(None) | ~lasts_for(length, moment, now) for moment in moments),
    )
