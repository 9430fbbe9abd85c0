"""What an agent does in a conversation: each act is one transaction, and a second try changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from core.agents import find_agent
from core.chat.conversations import end, find_conversation, note_read, note_typing, take_over
from core.chat.messages import say_as_agent
from core.chat.states import Author, ClosedBy, Refusal, Refused, words_of
from core.chat.templates import note_used
from core.database import Connection, lock_visits
from core.deadline import change
from core.sites import find_site
from core.tables import Conversation, Message
from pages.server.payloads import done_wire

UNKNOWN = "This browser has no agent yet: give your name in the dashboard's sidebar."
MALFORMED = "This is not what the chat sends: reload the page."


class About(msgspec.Struct, frozen=True):
    """The conversation that is meant: its site's key and its own id."""

    site: str
    id: str


class Sent(About, frozen=True):
    """A message; n: its client's id. template: the reply that it was made from."""

    n: Annotated[str, Meta(pattern=r"^[a-z0-9]{8,40}\Z")]
    text: str
    template: str = ""


class Seen(About, frozen=True):
    """to: the number of the newest message that the agent has read."""

    to: int


@dataclass(frozen=True)
class Scene:
    """Where an act takes place."""

    db: Connection
    conversation: Conversation
    agent_id: int
    now: datetime

    @property
    def is_for_me(self) -> bool:
        """Whether no other agent has the conversation."""
        return self.conversation.agent_id in (0, self.agent_id)


@dataclass(frozen=True)
class Done:
    """What the act has changed, as the stream tells it; or why it was refused."""

    told: dict[str, Any] = field(default_factory=dict[str, Any])
    status: int = 200
    error: str = ""


Outcome = Conversation | Message | Refused | None


@dataclass(frozen=True)
class Act:
    """What is sent, and what is done with it."""

    body: type[About]
    do: Callable[[Scene, Any], Outcome]


def act_as(key: str, act: Act, body: bytes, now: datetime) -> Done:
    """Do it as the agent with this key, and commit. Raises NoAnswer."""
    try:
        said = msgspec.json.decode(body, type=act.body)
    except msgspec.MsgspecError:
        return Done(status=400, error=MALFORMED)
    return change(lambda db: _perform(db, key, act, said, now))


def _perform(db: Connection, key: str, act: Act, said: About, now: datetime) -> Done:
    lock_visits(db)  # so that what is read here is what the act finds
    agent = find_agent(db, key) if key else None
    if agent is None or agent.id is None:
        return Done(status=401, error=UNKNOWN)
    site = find_site(db, said.site)
    found = find_conversation(db, site.id, said.id) if site and site.id else None
    if site is None or found is None:
        return Done(status=404, error=words_of(Refusal.NO_CONVERSATION))
    outcome = act.do(Scene(db, found, agent.id, now), said)
    if isinstance(outcome, Refused):
        return Done(status=409, error=words_of(outcome.reason))
    if outcome is None:
        return Done()
    message = outcome if isinstance(outcome, Message) else None
    return Done(done_wire(db, site, said.id, message))


def _send(scene: Scene, said: Sent) -> Outcome:
    done = say_as_agent(
        scene.db,
        scene.conversation,
        agent_id=scene.agent_id,
        client_id=said.n,
        text=said.text,
        now=scene.now,
    )
    if said.template and isinstance(done, Message):
        note_used(scene.db, scene.conversation.site_id, said.template, scene.now)
    return done


def _take(scene: Scene, _said: About) -> Outcome:
    return take_over(scene.db, scene.conversation, scene.agent_id, scene.now)


def _end(scene: Scene, _said: About) -> Outcome:
    if not scene.is_for_me:
        return Refused(Refusal.TAKEN)
    return end(scene.db, scene.conversation, ClosedBy.AGENT, scene.now)


def _read(scene: Scene, said: Seen) -> Outcome:
    """A colleague who looks on has not read it for the one who answers."""
    if not scene.is_for_me:
        return scene.conversation
    return note_read(scene.db, scene.conversation, Author.AGENT, said.to, scene.now)


def _typing(scene: Scene, _said: About) -> Outcome:
    if scene.is_for_me:
        note_typing(scene.db, scene.conversation, Author.AGENT, scene.now)
    return None


ACTS = {
    "send": Act(Sent, _send),
    "take": Act(About, _take),
    "end": Act(About, _end),
    "read": Act(Seen, _read),
    "typing": Act(About, _typing),
}
