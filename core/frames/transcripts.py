"""Conversations as frames: one row for each of them, and one row for each of their messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from core.chat.conversation_facts import ConversationFacts, FoundConversation, agent_names, facts_of
from core.chat.queries import messages_of
from core.mail.answers import MAIL_STATES, mail_answers, mail_state
from core.tables import MailAnswer

CONVERSATION_COLUMNS = [
    "id",
    "visit_id",
    "visitor",
    "agent",
    "opened_by",
    "state",
    "closed_by",
    "rating",
    "rating_text",
    "messages",
    "last",
    "created_at",
    "closed_at",
]
MESSAGE_COLUMNS = [
    "conversation",
    "visit",
    "visitor",
    "agent",
    "opened_by",
    "state",
    "number",
    "sent_at",
    "author",
    "name",
    "text",
    "mail",
]


def conversations_frame(db: Connection, conversations: Sequence[FoundConversation]) -> pd.DataFrame:
    """A row for each conversation in the order given: CONVERSATION_COLUMNS.

    visitor and agent are names, last is the newest message; moments are UTC, NaT for none.
    """
    facts = facts_of(db, conversations)
    rows = [_row(each, facts[each.site_id, each.id]) for each in conversations]
    frame = pd.DataFrame(rows, columns=CONVERSATION_COLUMNS)
    return _with_moments(frame, "created_at", "closed_at")


def messages_frame(db: Connection, conversations: Sequence[FoundConversation]) -> pd.DataFrame:
    """A row for each message, conversation by conversation, by number:
    MESSAGE_COLUMNS. name: of the visitor or the agent who wrote it; sent_at is UTC. mail: how far
    an answer by mail has come (MAIL_STATES), else ""."""
    facts = facts_of(db, conversations)
    names = agent_names(db)
    said = messages_of(db, conversations)
    mailed = mail_answers(db, [(each.site_id, each.id) for each in conversations])
    rows = [
        {
            "conversation": each.id,
            "visit": each.visit_id,
            "visitor": facts[each.site_id, each.id].visitor,
            "agent": facts[each.site_id, each.id].agent_name,
            "opened_by": each.opened_by,
            "state": each.state,
            "number": message.number,
            "sent_at": message.sent_at,
            "author": message.author,
            "name": names.get(message.agent_id, "") or facts[each.site_id, each.id].visitor,
            "text": message.text,
            "mail": _mail(mailed.get(each.site_id, {}).get((each.id, message.number))),
        }
        for each in conversations
        for message in said.get((each.site_id, each.id), ())
    ]
    return _with_moments(pd.DataFrame(rows, columns=MESSAGE_COLUMNS), "sent_at")


def _mail(answer: MailAnswer | None) -> str:
    return MAIL_STATES[mail_state(answer)] if answer is not None else ""


def _row(conversation: FoundConversation, facts: ConversationFacts) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "visit_id": conversation.visit_id,
        "visitor": facts.visitor,
        "agent": facts.agent_name,
        "opened_by": conversation.opened_by,
        "state": conversation.state,
        "closed_by": conversation.closed_by,
        "rating": conversation.rating,
        "rating_text": conversation.rating_text,
        "messages": conversation.message_count,
        "last": facts.last,
        "created_at": conversation.created_at,
        "closed_at": conversation.closed_at,
    }


def _with_moments(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return frame.assign(**{name: pd.to_datetime(frame[name], utc=True) for name in columns})
