"""Answers to left messages by the site's mail server: written by an agent, then on their way until they are sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update
from sqlmodel import col

from core.chat.closing import lock_conversation
from core.chat.conversation_facts import RowKey, facts_of, ids_by_site
from core.chat.limits import LONGEST_MESSAGE, MAX_MESSAGES
from core.chat.mail_answer import recipient
from core.chat.states import Author, ConversationState
from core.chat.store import add_message, find_message, tell_message
from core.enrich.text import clean_lines
from core.mail.letter import new_message_id
from core.mail.server import find_server
from core.reasons import Reason, Refused
from core.tables import Conversation, MailAnswer, MailServer, Message


class MailState(StrEnum):
    """How far an answer has come."""

    ON_ITS_WAY = "on_its_way"
    SENT = "sent"
    NOT_SENT = "not_sent"


MAIL_STATES: Mapping[MailState, str] = {
    MailState.ON_ITS_WAY: "by e-mail, on its way",
    MailState.SENT: "by e-mail",
    MailState.NOT_SENT: "by e-mail, not sent",
}
"""Beside the agent's name in a transcript."""

MessageKey = tuple[str, int]
"""The id of the conversation, and the number of the message."""


class _Way(NamedTuple):
    server: MailServer
    to: str


def mail_state(answer: MailAnswer) -> MailState:
    """How far it has come."""
    if answer.sent_at is not None:
        return MailState.SENT
    return MailState.NOT_SENT if answer.due_at is None else MailState.ON_ITS_WAY


def mail_answers(
    db: Connection, conversations: Iterable[RowKey]
) -> Mapping[int, Mapping[MessageKey, MailAnswer]]:
    """The answers by mail of these conversations, by the site's id, then by conversation and number."""
    found: defaultdict[int, dict[MessageKey, MailAnswer]] = defaultdict(dict)
    for site_id, ids in ids_by_site(conversations):
        of_these = (
            col(MailAnswer.site_id) == site_id,
            col(MailAnswer.conversation_id).in_(ids),
        )
        for row in db.execute(select(MailAnswer).where(*of_these)).mappings():
            found[site_id][row["conversation_id"], row["number"]] = MailAnswer.of(row)
    return found


def answer_by_mail(
    db: Connection,
    conversation: Conversation,
    *,
    agent_id: int,
    client_id: str,
    text: str,
    now: datetime,
) -> Message | Refused:
    """The message, cut to LONGEST_MESSAGE, which the sender mails from now on. The same client_id again sends none."""
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    if (said := find_message(db, found, client_id)) is not None:
        return said
    way = _find_way(db, found)
    if isinstance(way, Refused):
        return way
    text = clean_lines(text, LONGEST_MESSAGE)
    if not text:
        return Refused(Reason.EMPTY)
    if found.message_count >= MAX_MESSAGES:
        return Refused(Reason.TOO_MANY)
    _, message = add_message(
        db,
        found,
        now,
        author=Author.AGENT,
        agent_id=agent_id,
        text=text,
        client_id=client_id,
        agent_read=found.message_count + 1,
    )
    answer = MailAnswer(
        site_id=found.site_id,
        conversation_id=found.id,
        number=message.number,
        message_id=new_message_id(way.server),
        asked_at=now,
        due_at=now,
    )
    db.execute(insert(MailAnswer).values(**answer.model_dump()))
    return message


def send_again(
    db: Connection, conversation: Conversation, number: int, now: datetime
) -> Message | Refused:
    """The message, whose mail was not sent, on its way again; of any other one nothing changes."""
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    way = _find_way(db, found)
    if isinstance(way, Refused):
        return way
    not_sent = (
        col(MailAnswer.site_id) == found.site_id,
        col(MailAnswer.conversation_id) == found.id,
        col(MailAnswer.number) == number,
        col(MailAnswer.sent_at).is_(None),
        col(MailAnswer.due_at).is_(None),
    )
    anew = {"asked_at": now, "due_at": now, "attempts": 0, "fault": ""}
    db.execute(update(MailAnswer).where(*not_sent).values(**anew))
    return tell_message(db, found, number, now) or Refused(Reason.NO_CONVERSATION)


def _find_way(db: Connection, conversation: Conversation) -> _Way | Refused:
    if conversation.state != ConversationState.LEFT:
        return Refused(Reason.NOT_LEFT)
    server = find_server(db, conversation.site_id)
    if server is None:
        return Refused(Reason.NO_MAIL_SERVER)
    to = recipient_of(db, conversation)
    return _Way(server, to) if to else Refused(Reason.NO_ADDRESS)


def recipient_of(db: Connection, conversation: Conversation) -> str:
    """Where the visitor can be answered: what they have left, else what the website says; "" for nowhere."""
    facts = facts_of(db, [conversation]).get((conversation.site_id, conversation.id))
    return recipient(conversation.email or (facts.email if facts else ""))
