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
from core.chat.states import Author, ClosedBy
from core.chat.templates import note_used
from core.database import Connection, lock_visits
from core.deadline import write_async
from core.reasons import Reason, Refused
from core.sites import find_site
from core.tables import Conversation, Message
from pages.server.payloads import action_payload

UNKNOWN = "This browser has no agent yet: give your name in the dashboard's sidebar."
MALFORMED = "This is not what the chat sends: reload the page."


class ConversationAction(msgspec.Struct, frozen=True):
    """The conversation that is meant: its site's key and its own id."""

    site: str
    id: str


class SendAction(ConversationAction, frozen=True):
    """A message; n: its client's id. template: the reply that it was made from."""

    n: Annotated[str, Meta(pattern=r"^[a-z0-9]{8,40}\Z")]
    text: str
    template: str = ""


class ReadAction(ConversationAction, frozen=True):
    """to: the number of the newest message that the agent has read."""

    to: int


@dataclass(frozen=True)
class ActionContext:
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
class ActionResult:
    """What the act has changed, as the stream tells it; or why it was refused."""

    told: dict[str, Any] = field(default_factory=dict[str, Any])
    status: int = 200
    error: str = ""


Outcome = Conversation | Message | Refused | None


@dataclass(frozen=True)
class AgentAction:
    """What is sent, and what is done with it."""

    body: type[ConversationAction]
    do: Callable[[ActionContext, Any], Outcome]


async def perform(key: str, act: AgentAction, body: bytes, now: datetime) -> ActionResult:
    """Do it as the agent with this key, and commit. Raises DatabaseUnavailable."""
    try:
        said = msgspec.json.decode(body, type=act.body)
    except msgspec.MsgspecError:
        return ActionResult(status=400, error=MALFORMED)
    return await write_async(lambda db: _perform(db, key, act, said, now))


def _perform(
    db: Connection, key: str, act: AgentAction, said: ConversationAction, now: datetime
) -> ActionResult:
    lock_visits(db)  # so that what is read here is what the act finds
    agent = find_agent(db, key) if key else None
    if agent is None or agent.id is None:
        return ActionResult(status=401, error=UNKNOWN)
    site = find_site(db, said.site)
    found = find_conversation(db, site.id, said.id) if site and site.id else None
    if site is None or found is None:
        return ActionResult(status=404, error=Reason.NO_CONVERSATION.agent_text)
    outcome = act.do(ActionContext(db, found, agent.id, now), said)
    if isinstance(outcome, Refused):
        return ActionResult(status=409, error=outcome.reason.agent_text)
    if outcome is None:
        return ActionResult()
    message = outcome if isinstance(outcome, Message) else None
    return ActionResult(action_payload(db, site, said.id, message))


def _send(scene: ActionContext, said: SendAction) -> Outcome:
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


def _take(scene: ActionContext, _said: ConversationAction) -> Outcome:
    return take_over(scene.db, scene.conversation, scene.agent_id, scene.now)


def _end(scene: ActionContext, _said: ConversationAction) -> Outcome:
    if not scene.is_for_me:
        return Refused(Reason.TAKEN)
    return end(scene.db, scene.conversation, ClosedBy.AGENT, scene.now)


def _read(scene: ActionContext, said: ReadAction) -> Outcome:
    """A colleague who looks on has not read it for the one who answers."""
    if not scene.is_for_me:
        return scene.conversation
    return note_read(scene.db, scene.conversation, Author.AGENT, said.to, scene.now)


def _typing(scene: ActionContext, _said: ConversationAction) -> Outcome:
    if scene.is_for_me:
        note_typing(scene.db, scene.conversation, Author.AGENT, scene.now)
    return None


ACTIONS = {
    "send": AgentAction(SendAction, _send),
    "take": AgentAction(ConversationAction, _take),
    "end": AgentAction(ConversationAction, _end),
    "read": AgentAction(ReadAction, _read),
    "typing": AgentAction(ConversationAction, _typing),
}
