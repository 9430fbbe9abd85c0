"""What an agent does in a conversation: each action is one transaction, and a retry changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from core.chat.answerers import may_answer
from core.chat.blocks import block
from core.chat.conversations import end, mark_read, mark_typing
from core.chat.handover import give, take_over
from core.chat.left_messages import mark_done
from core.chat.messages import send_as_agent
from core.chat.notes import add_note
from core.chat.states import Author, ClosedBy
from core.chat.store import find_conversation
from core.chat.templates import mark_used
from core.database import Connection
from core.deadline import write_async
from core.locks import lock_site
from core.mail.answers import answer_by_mail, send_again
from core.reasons import Reason, Refused
from core.sites import find_site
from core.tables import Conversation, Message
from pages.server.caller import Caller
from pages.server.payloads import action_payload

UNKNOWN = "This browser has no agent yet: give your name in the dashboard's sidebar."
MALFORMED = "This is not what the chat sends: reload the page."


RowNumber = Annotated[int, Meta(ge=0, le=2**31 - 1)]
"""As large as the databases store one."""


class ConversationBody(msgspec.Struct, frozen=True):
    """Which conversation: its site's key and its own id."""

    site: str
    id: str


class TextBody(ConversationBody, frozen=True):
    """A text; n: the client's id of it."""

    n: Annotated[str, Meta(pattern=r"^[a-z0-9]{8,40}\Z")]
    text: str


class SendBody(TextBody, frozen=True):
    """A message. template: the canned reply that it was made from."""

    template: str = ""


class MailAgainBody(ConversationBody, frozen=True):
    """number: of the message whose mail was not sent."""

    number: RowNumber


class GiveBody(ConversationBody, frozen=True):
    """to: the id of the agent who gets the conversation."""

    to: RowNumber


class DoneBody(ConversationBody, frozen=True):
    """done: false takes it back."""

    done: bool


class ReadBody(ConversationBody, frozen=True):
    """to: the number of the newest message that the agent has read."""

    to: RowNumber


@dataclass(frozen=True)
class ActionContext:
    """The conversation and the agent of an action."""

    db: Connection
    conversation: Conversation
    agent_id: int
    now: datetime

    @property
    def is_for_me(self) -> bool:
        """Whether no other agent has the conversation."""
        return may_answer(self.conversation, self.agent_id)


@dataclass(frozen=True)
class ActionResult:
    """What the action has changed, as in the stream; or why it was refused."""

    changes: dict[str, Any] = field(default_factory=dict[str, Any])
    status: int = 200
    error: str = ""


Outcome = Conversation | Message | Refused | None


@dataclass(frozen=True)
class AgentAction:
    """The type of an action's body, and the function that performs it."""

    body: type[ConversationBody]
    do: Callable[[ActionContext, Any], Outcome]


async def perform(caller: Caller, action: AgentAction, sent: bytes, now: datetime) -> ActionResult:
    """Perform the action as the agent who calls, and commit. Raises DatabaseUnavailable."""
    try:
        body = msgspec.json.decode(sent, type=action.body)
    except (ValueError, RecursionError):  # it is nested too deeply for a decoder
        return ActionResult(status=400, error=MALFORMED)
    return await write_async(lambda db: _perform(db, caller, action, body, now))


def _perform(
    db: Connection, caller: Caller, action: AgentAction, body: ConversationBody, now: datetime
) -> ActionResult:
    agent_id = caller.agent_id(db)
    if agent_id is None:
        return ActionResult(status=401, error=UNKNOWN)
    site = find_site(db, body.site)
    if site is not None and not caller.identity.sees(site.id):
        site = None
    if site is not None and site.id:
        lock_site(db, site.id)  # nothing changes between what is read here and what is written
    found = find_conversation(db, site.id, body.id) if site and site.id else None
    if site is None or found is None:
        return ActionResult(status=404, error=Reason.NO_CONVERSATION.agent_text)
    outcome = action.do(ActionContext(db, found, agent_id, now), body)
    if isinstance(outcome, Refused):
        return ActionResult(status=409, error=outcome.reason.agent_text)
    if outcome is None:
        return ActionResult()
    message = outcome if isinstance(outcome, Message) else None
    return ActionResult(action_payload(db, site, body.id, message))


def _send(context: ActionContext, body: SendBody) -> Outcome:
    message = send_as_agent(
        context.db,
        context.conversation,
        agent_id=context.agent_id,
        client_id=body.n,
        text=body.text,
        now=context.now,
    )
    _note_template(context, body, message)
    return message


def _mail(context: ActionContext, body: SendBody) -> Outcome:
    message = answer_by_mail(
        context.db,
        context.conversation,
        agent_id=context.agent_id,
        client_id=body.n,
        text=body.text,
        now=context.now,
    )
    _note_template(context, body, message)
    return message


def _note_template(context: ActionContext, body: SendBody, message: Message | Refused) -> None:
    if body.template and isinstance(message, Message):
        mark_used(context.db, context.conversation.site_id, body.template, context.now)


def _mail_again(context: ActionContext, body: MailAgainBody) -> Outcome:
    return send_again(context.db, context.conversation, body.number, context.now)


def _take(context: ActionContext, _body: ConversationBody) -> Outcome:
    return take_over(context.db, context.conversation, context.agent_id, context.now)


def _give(context: ActionContext, body: GiveBody) -> Outcome:
    return give(context.db, context.conversation, context.agent_id, body.to, context.now)


def _note(context: ActionContext, body: TextBody) -> Outcome:
    return add_note(
        context.db,
        context.conversation,
        agent_id=context.agent_id,
        client_id=body.n,
        text=body.text,
        now=context.now,
    )


def _block(context: ActionContext, _body: ConversationBody) -> Outcome:
    if not context.is_for_me:
        return Refused(Reason.TAKEN)
    return block(context.db, context.conversation, context.agent_id, context.now)


def _done(context: ActionContext, body: DoneBody) -> Outcome:
    return mark_done(context.db, context.conversation, context.agent_id, body.done, context.now)


def _end(context: ActionContext, _body: ConversationBody) -> Outcome:
    if not context.is_for_me:
        return Refused(Reason.TAKEN)
    return end(context.db, context.conversation, ClosedBy.AGENT, context.now)


def _read(context: ActionContext, body: ReadBody) -> Outcome:
    """Mark the messages read. A colleague who only reads along does not mark them."""
    if not context.is_for_me:
        return context.conversation
    return mark_read(context.db, context.conversation, Author.AGENT, body.to, context.now)


def _typing(context: ActionContext, _body: ConversationBody) -> Outcome:
    if context.is_for_me:
        mark_typing(context.db, context.conversation, Author.AGENT, context.now)
    return None


ACTIONS = {
    "send": AgentAction(SendBody, _send),
    "mail": AgentAction(SendBody, _mail),
    "mail-again": AgentAction(MailAgainBody, _mail_again),
    "take": AgentAction(ConversationBody, _take),
    "give": AgentAction(GiveBody, _give),
    "note": AgentAction(TextBody, _note),
    "block": AgentAction(ConversationBody, _block),
    "done": AgentAction(DoneBody, _done),
    "end": AgentAction(ConversationBody, _end),
    "read": AgentAction(ReadBody, _read),
    "typing": AgentAction(ConversationBody, _typing),
}
