"""Visits and conversations for the tests of the chat."""

from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import insert, select, update
from sqlmodel import col

from core.agents import add_agent
from core.chat.conversations import find_conversation, open_as_visitor
from core.chat.invitations import accept, invite
from core.chat.messages import say_as_agent, say_as_visitor
from core.chat.words import Refused
from core.tables import Conversation, Visit, VisitSpan

NOW = datetime(2026, 11, 22, 12, 34, 56, 789_000, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
INSTANT = timedelta(milliseconds=1)

_numbers = count(1)


def client_id():
    """An id as a sender makes it, never the same."""
    return f"client{next(_numbers):06}"


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
    db.execute(insert(Visit).values(**visit.model_dump()))


def visit_of(db, visit_id="visit"):
    """The visit as it is stored."""
    row = db.execute(select(Visit).where(col(Visit.id) == visit_id)).mappings().one()
    return Visit(**row)


def touch(db, at, visit_id="visit"):
    """The visitor is active at the moment."""
    db.execute(update(Visit).where(col(Visit.id) == visit_id).values(last_activity_at=at))


def span_of(db, conversation):
    """The span of the chat, or None."""
    of_chat = select(VisitSpan).where(col(VisitSpan.tab) == conversation.id)
    row = db.execute(of_chat).mappings().one_or_none()
    return None if row is None else VisitSpan(**row)


def stored(db, conversation):
    """The conversation as it is stored."""
    return find_conversation(db, conversation.site_id, conversation.id)


def agent(db, name="Ann", now=NOW):
    """The id of a new agent."""
    return add_agent(db, name, now).id


def invited(db, visit_id="visit", now=NOW, **columns):
    """An invitation, queued."""
    values = {"site_id": 7, "agent_id": 1, "text": "Can I help?", **columns}
    invitation = invite(db, visit_id=visit_id, now=now, **values)
    assert isinstance(invitation, Conversation)
    return invitation


def opened(db, visit_id="visit", now=NOW, **columns):
    """A conversation that the visitor has accepted."""
    conversation = accept(db, invited(db, visit_id, now, **columns), now)
    assert isinstance(conversation, Conversation)
    return conversation


def open_it(db, visit_id="visit", now=NOW, **values):
    """What comes of a visitor's first message."""
    values = {
        "site_id": 7,
        "tab": "",
        "client_id": client_id(),
        "text": "Hello?",
        "is_attended": True,
        **values,
    }
    return open_as_visitor(db, visit_id=visit_id, now=now, **values)


def ask(db, conversation, text="A question", now=NOW):
    """The visitor says it."""
    return say_as_visitor(db, conversation, client_id=client_id(), text=text, now=now)


def answer(db, conversation, text="An answer", now=NOW, agent_id=1):
    """The agent says it."""
    return say_as_agent(
        db, conversation, agent_id=agent_id, client_id=client_id(), text=text, now=now
    )


def reason_of(refused):
    """Why nothing was done."""
    assert isinstance(refused, Refused), refused
    return refused.reason
