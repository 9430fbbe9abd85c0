"""Visits and conversations for the tests of the chat."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import insert, select, update
from sqlmodel import col

from core import agents
from core.chat import conversations, handover, invitations, rules
from core.chat.messages import send_as_agent, send_as_visitor
from core.chat.store import find_conversation
from core.reasons import Refused
from core.tables import Conversation, Site, Visit, VisitSpan
from core.visits.presence import SpanKind
from core.visits.row_keys import chat_tab
from tests.helpers.stored_rows import store_row

NOW = datetime(2026, 11, 22, 12, 34, 56, 789_000, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
INSTANT = timedelta(milliseconds=1)

_numbers = count(1)

# These return the result as it is: done or refused. The test checks it.
add_agent: Callable[..., Any] = agents.add_agent
end: Callable[..., Any] = conversations.end
mark_read: Callable[..., Any] = conversations.mark_read
mark_typing: Callable[..., Any] = conversations.mark_typing
take_over: Callable[..., Any] = handover.take_over
accept: Callable[..., Any] = invitations.accept
dismiss: Callable[..., Any] = invitations.dismiss
invite: Callable[..., Any] = invitations.invite
mark_shown: Callable[..., Any] = invitations.mark_shown
add_rule: Callable[..., Any] = rules.add_rule
change_rule: Callable[..., Any] = rules.change_rule
open_by_rule: Callable[..., Any] = rules.open_by_rule


def client_id():
    """A new id, as a sender makes it."""
    return f"client{next(_numbers):06}"


def add_sites(db, *site_ids):
    """Sites with these ids."""
    for site_id in site_ids:
        site = Site(id=site_id, key=f"site{site_id}", name=f"Site {site_id}", created_at=NOW)
        db.execute(insert(Site).values(**site.model_dump()))


def add_visit(db, visit_id="visit", site_id=7, **columns):
    """A live visit of site 7, active at NOW."""
    visit = Visit(
        **{
            "site_id": site_id,
            "id": visit_id,
            "started_at": NOW - 5 * MINUTE,
            "last_seen_at": NOW,
            "last_activity_at": NOW,
            "in_view_until": NOW + MINUTE,
            "page_count": 1,
            **columns,
        }
    )
    store_row(db, visit)


def visit_of(db, visit_id="visit", site_id=7):
    """The visit as it is stored."""
    of_site = (col(Visit.site_id) == site_id, col(Visit.id) == visit_id)
    return Visit(**db.execute(select(Visit).where(*of_site)).mappings().one())


def touch(db, at, visit_id="visit", site_id=7):
    """Note an activity of the visitor at the given moment."""
    of_site = (col(Visit.site_id) == site_id, col(Visit.id) == visit_id)
    db.execute(update(Visit).where(*of_site).values(last_activity_at=at))


def span_of(db, conversation) -> Any:
    """The span of the chat, or None."""
    of_chat = select(VisitSpan).where(
        col(VisitSpan.tab) == chat_tab(conversation.id), col(VisitSpan.kind) == SpanKind.CHATTING
    )
    row = db.execute(of_chat).mappings().one_or_none()
    return None if row is None else VisitSpan(**row)


def active_moments(db, conversation) -> list[Any]:
    """When the visitor was active in the chat."""
    of_chat = select(col(VisitSpan.from_at)).where(
        col(VisitSpan.tab) == chat_tab(conversation.id), col(VisitSpan.kind) == SpanKind.ACTIVE
    )
    return sorted(db.execute(of_chat).scalars())


def stored(db, conversation) -> Any:
    """The conversation as it is stored."""
    return find_conversation(db, conversation.site_id, conversation.id)


def agent(db, name="Ann", now=NOW) -> Any:
    """The id of a new agent."""
    return add_agent(db, name, now).id


def invited(db, visit_id="visit", now=NOW, **columns) -> Any:
    """An invitation, queued."""
    values = {"site_id": 7, "agent_id": 1, "text": "Can I help?", **columns}
    invitation = invite(db, visit_id=visit_id, now=now, **values)
    assert isinstance(invitation, Conversation)
    return invitation


def opened(db, visit_id="visit", now=NOW, **columns) -> Any:
    """A conversation that the visitor has accepted."""
    conversation = accept(db, invited(db, visit_id, now, **columns), now)
    assert isinstance(conversation, Conversation)
    return conversation


def open_it(db, visit_id="visit", now=NOW, **values) -> Any:
    """The result of a visitor's first message."""
    values = {
        "site_id": 7,
        "tab": "",
        "client_id": client_id(),
        "text": "Hello?",
        "is_offered": True,
        "is_attended": True,
        **values,
    }
    return conversations.open_as_visitor(db, visit_id=visit_id, now=now, **values)


def ask(db, conversation, text="A question", now=NOW) -> Any:
    """Send a message of the visitor."""
    return send_as_visitor(db, conversation, client_id=client_id(), text=text, now=now)


def answer(db, conversation, text="An answer", now=NOW, agent_id=1) -> Any:
    """Send a message of the agent."""
    return send_as_agent(
        db, conversation, agent_id=agent_id, client_id=client_id(), text=text, now=now
    )


def reason_of(refused) -> Any:
    """The reason of a refusal."""
    assert isinstance(refused, Refused), refused
    return refused.reason
