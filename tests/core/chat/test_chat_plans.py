"""Every query on the chats uses an index, however many there are."""

import pytest

from core.chat.blocks import is_blocked
from core.chat.closing import close_due
from core.chat.conversation_facts import facts_of
from core.chat.departure import note_departures
from core.chat.invitations import open_conversations_of
from core.chat.left_messages import drop_left_messages
from core.chat.notes import notes
from core.chat.queries import (
    changes_since,
    conversations_of_visit,
    invitations,
    messages,
    messages_of,
    open_by_visit,
    open_conversations,
    unread_counts,
)
from core.chat.retention import forget_conversations, forget_messages
from core.chat.search import count_found, found_conversations
from core.chat.states import OPEN_STATES, ConversationState
from core.chat.store import find_by_token, find_conversation
from core.chat.vacancy import UnheardAgents, vacate_due
from core.tables import IS_OPEN, Conversation
from tests.helpers.chat_rows import NOW

ANY = Conversation(
    site_id=7,
    id="chat",
    visit_id="visit",
    token="token",
    opened_by="agent",
    state="open",
    created_at=NOW,
    revision=1,
)
BY_VISIT = "conversation_by_visit (site_id=? AND visit_id=?)"
BY_MESSAGE = "sqlite_autoindex_message_1 (site_id=? AND conversation_id=? AND number>?)"


@pytest.mark.parametrize(
    ("index", "question", "arguments"),
    [
        ("conversation_by_state (state=?)", open_conversations, ()),
        ("conversation_by_state (state=?)", invitations, ()),
        ("conversation_by_state (state=? AND site_id=?)", open_by_visit, (7,)),
        ("conversation_by_state (state=?)", close_due, (NOW,)),
        (BY_VISIT, conversations_of_visit, (7, "visit")),
        ("conversation_open (site_id=? AND visit_id=?)", open_conversations_of, (7, "visit", NOW)),
        (BY_VISIT, forget_conversations, (7, ["visit", "another"])),
        ("conversation_by_token (site_id=? AND token=?)", find_by_token, (7, "token")),
        ("conversation_1 (site_id=? AND id=?)", find_conversation, (7, "chat")),
        ("message_1 (site_id=? AND conversation_id=?)", messages, (7, "chat")),
        ("message_1 (site_id=? AND conversation_id=?)", messages_of, ([ANY],)),
        (BY_MESSAGE, unread_counts, ([ANY],)),
        ("conversation_by_state (state=?)", note_departures, (NOW,)),
        ("conversation_by_state (state=?)", vacate_due, (NOW, UnheardAgents(), 0.0)),
        ("(state=? AND site_id=? AND done_at=?)", drop_left_messages, (7, NOW)),
        ("conversation_note_1 (site_id=? AND conversation_id=?)", notes, (7, "chat")),
        ("conversation_note_by_time (site_id=? AND written_at<?)", forget_messages, (7, NOW, 10)),
        ("chat_block_by_visitor (site_id=? AND visitor_id=?)", is_blocked, (7, "visit", "ada")),
        ("chat_block_by_visit (site_id=? AND visit_id=?)", is_blocked, (7, "visit", "ada")),
        ("message_by_time (site_id=? AND sent_at<?)", forget_messages, (7, NOW, 10)),
        ("conversation_by_creation (site_id=?)", found_conversations, (7, "words")),
        (
            "conversation_by_creation (site_id=? AND created_at>? AND created_at<?)",
            count_found,
            (7, "words", NOW, NOW),
        ),
    ],
)
def test_question_is_answered_by_an_index(plan_of, index, question, arguments):
    plan = plan_of(question, *arguments)

    assert index in plan
    assert "SCAN" not in plan


def test_newest_change_of_each_site_is_found_at_the_end_of_its_index(plan_of):
    plan = plan_of(changes_since, 1)

    assert "conversation USING COVERING INDEX conversation_by_revision (site_id=?)" in plan
    assert "SCAN conversation" not in plan


def test_facts_of_the_conversations_are_found_by_their_keys(plan_of):
    plan = plan_of(facts_of, [ANY])

    assert "visit USING INDEX sqlite_autoindex_visit_1 (site_id=? AND id=?)" in plan
    assert "(site_id=? AND conversation_id=?" in plan
    assert {"SCAN conversation", "SCAN message", "SCAN visit"}.isdisjoint(
        part.strip() for part in plan.split("USING")
    )


def test_index_of_what_is_open_knows_every_open_state():
    states = ", ".join(f"'{state}'" for state in ConversationState if state in OPEN_STATES)

    assert str(IS_OPEN) == f"state IN ({states})"
