"""The visitor's side of a chat, written to the database as the collector does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from sqlalchemy import Engine

from core.agents import add_agent, new_secret
from core.chat.conversations import end as end_conversation
from core.chat.conversations import mark_read, mark_typing, open_as_visitor
from core.chat.invitations import accept, dismiss, invite, mark_delivered, mark_shown
from core.chat.messages import send_as_agent, send_as_visitor
from core.chat.queries import messages
from core.chat.rating import Rating, rate
from core.chat.states import Author, ClosedBy
from core.chat.store import find_conversation
from core.database import reading, writing
from core.tables import Agent, Conversation, Message, Site
from tests.helpers.seed import make_visit

_numbers = count(1)
_secrets: dict[str, str] = {}


def now() -> datetime:
    return datetime.now(UTC)


def make_agent(engine: Engine, name: str = "Ann") -> Agent:
    """An agent who is Available; `secret_of` is for the cookie of their browser."""
    secret = new_secret()
    with writing(engine) as db:
        agent = add_agent(db, name, now(), secret)
    _secrets[agent.key] = secret
    return agent


def secret_of(agent: Agent) -> str:
    """The secret of an agent of `make_agent`; of another one something that is nobody's."""
    return _secrets.get(agent.key, "wrong")


@dataclass(frozen=True)
class Chat:
    """A conversation, and what its visitor does in it."""

    engine: Engine
    site: Site
    id: str

    @property
    def row(self) -> Conversation:
        """The conversation as it is now."""
        assert self.site.id is not None
        with reading(self.engine) as db:
            found = find_conversation(db, self.site.id, self.id)
        assert found is not None
        return found

    @property
    def messages(self) -> list[Message]:
        """All messages in order."""
        assert self.site.id is not None
        with reading(self.engine) as db:
            return list(messages(db, self.site.id, self.id))

    @property
    def texts(self) -> list[str]:
        """The texts of all messages."""
        return [message.text for message in self.messages]

    def says(self, text: str) -> None:
        """The visitor sends a message."""
        with writing(self.engine) as db:
            message = send_as_visitor(db, self.row, client_id=client_id(), text=text, now=now())
        assert isinstance(message, Message), message

    def agent_says(self, agent: Agent, text: str) -> None:
        """An agent answers from another browser."""
        assert agent.id is not None
        with writing(self.engine) as db:
            message = send_as_agent(
                db, self.row, agent_id=agent.id, client_id=client_id(), text=text, now=now()
            )
        assert isinstance(message, Message), message

    def types(self) -> None:
        """The visitor is typing."""
        with writing(self.engine) as db:
            mark_typing(db, self.row, Author.VISITOR, now())

    def reads(self) -> None:
        """The visitor has seen everything."""
        with writing(self.engine) as db:
            mark_read(db, self.row, Author.VISITOR, self.row.message_count, now())

    def ends(self) -> None:
        """The visitor ends it."""
        with writing(self.engine) as db:
            end_conversation(db, self.row, ClosedBy.VISITOR, now())

    def rates(self, rating: Rating, why: str = "") -> None:
        """The visitor rates it after its end."""
        with writing(self.engine) as db:
            rated = rate(db, self.row, rating, why, now())
        assert isinstance(rated, Conversation), rated

    def is_delivered(self) -> None:
        """The invitation reaches the visitor's page."""
        assert self.site.id is not None
        with writing(self.engine) as db:
            mark_delivered(db, self.site.id, self.id, "", now())

    def is_shown(self) -> None:
        """The visitor sees the invitation."""
        with writing(self.engine) as db:
            mark_shown(db, self.row, now())

    def is_accepted(self) -> None:
        """The visitor accepts the invitation."""
        with writing(self.engine) as db:
            accept(db, self.row, now())

    def is_dismissed(self) -> None:
        """The visitor declines the invitation."""
        with writing(self.engine) as db:
            dismiss(db, self.row, now())


def visitor_opens(
    engine: Engine,
    site: Site,
    visit_id: str,
    text: str = "Hello?",
    *,
    is_attended: bool = True,
    **visit: object,
) -> Chat:
    """A visitor with this visit opens a chat by the button."""
    assert site.id is not None
    make_visit(engine, site, visit_id, now=now(), **visit)
    with writing(engine) as db:
        opened = open_as_visitor(
            db,
            site_id=site.id,
            visit_id=visit_id,
            tab="",
            client_id=client_id(),
            text=text,
            is_offered=True,
            is_attended=is_attended,
            now=now(),
        )
    assert isinstance(opened, Conversation), opened
    return Chat(engine, site, opened.id)


def agent_invites(
    engine: Engine,
    site: Site,
    visit_id: str,
    agent: Agent,
    text: str = "May I help?",
    **visit: object,
) -> Chat:
    """An agent invites the visitor with this visit."""
    assert site.id is not None and agent.id is not None
    make_visit(engine, site, visit_id, now=now(), **visit)
    with writing(engine) as db:
        invited = invite(
            db, site_id=site.id, visit_id=visit_id, agent_id=agent.id, text=text, now=now()
        )
    assert isinstance(invited, Conversation), invited
    return Chat(engine, site, invited.id)


def client_id() -> str:
    """An id for one message."""
    return f"client{next(_numbers):06d}"
