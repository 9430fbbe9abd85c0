"""What agents write about a conversation for each other. It is in no message, so no visitor's stream has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select
from sqlmodel import col

from core.chat.closing import lock_conversation
from core.chat.conversation_facts import FoundConversation, RowKey, ids_by_site
from core.chat.limits import LONGEST_MESSAGE
from core.chat.store import change
from core.enrich.text import clean_lines
from core.reasons import Reason, Refused
from core.tables import Conversation, ConversationNote

MOST_NOTES = 200
"""Notes of one conversation; nobody reads more."""


def add_note(
    db: Connection,
    conversation: Conversation,
    *,
    agent_id: int,
    client_id: str,
    text: str,
    now: datetime,
) -> Conversation | Refused:
    """The conversation with one more note, cut to LONGEST_MESSAGE. The same client_id again changes nothing.

    Any agent who sees the conversation may note, also after its end.
    """
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    text = clean_lines(text, LONGEST_MESSAGE)
    if not text:
        return Refused(Reason.EMPTY)
    if any(note.client_id == client_id for note in notes(db, found.site_id, found.id)):
        return found
    if found.note_count >= MOST_NOTES:
        return Refused(Reason.TOO_MANY_NOTES)
    note = ConversationNote(
        site_id=found.site_id,
        conversation_id=found.id,
        number=found.note_count + 1,
        agent_id=agent_id,
        client_id=client_id,
        text=text,
        written_at=now,
    )
    db.execute(insert(ConversationNote).values(**note.model_dump()))
    return change(db, found, now, note_count=note.number)


def notes(db: Connection, site_id: int, conversation_id: str) -> Sequence[ConversationNote]:
    """The conversation's notes, by number."""
    return _found(db, site_id, [conversation_id])


def notes_of(
    db: Connection, conversations: Iterable[FoundConversation]
) -> Mapping[RowKey, Sequence[ConversationNote]]:
    """The notes of each conversation by number, by (site id, conversation id)."""
    found: defaultdict[RowKey, list[ConversationNote]] = defaultdict(list)
    noted = ((each.site_id, each.id) for each in conversations if each.note_count)
    for site_id, ids in ids_by_site(noted):
        for note in _found(db, site_id, ids):
            found[site_id, note.conversation_id].append(note)
    return found


def _found(db: Connection, site_id: int, ids: Sequence[str]) -> list[ConversationNote]:
    statement = (
        select(ConversationNote)
        .where(
            col(ConversationNote.site_id) == site_id,
            col(ConversationNote.conversation_id).in_(ids),
        )
        .order_by(col(ConversationNote.conversation_id), col(ConversationNote.number))
    )
    return [ConversationNote.of(row) for row in db.execute(statement).mappings()]
