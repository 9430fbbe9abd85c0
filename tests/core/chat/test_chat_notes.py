"""Notes on a conversation: for agents, never for the visitor, and gone with the words."""

import pytest

from core.chat import notes as noted
from core.chat.notes import add_note, notes, notes_of
from core.chat.queries import changes_since, messages
from core.chat.retention import forget_conversations, forget_messages
from core.chat.states import ClosedBy
from core.reasons import Reason
from tests.helpers.chat_rows import (
    INSTANT,
    NOW,
    SECOND,
    add_sites,
    add_visit,
    ask,
    client_id,
    end,
    opened,
    reason_of,
    stored,
)


@pytest.fixture
def chat(db):
    add_sites(db, 7)
    add_visit(db)
    return opened(db)


def note(db, chat, text="Wants an invoice", now=NOW, **values):
    given = {"agent_id": 1, "client_id": client_id(), **values}
    return add_note(db, chat, text=text, now=now, **given)


def test_note_is_kept_beside_the_messages(db, chat):
    before = messages(db, 7, chat.id)
    note(db, chat, "One", NOW + SECOND)
    note(db, chat, "Two\nlines", NOW + 2 * SECOND, agent_id=2)

    kept = [(each.number, each.agent_id, each.text) for each in notes(db, 7, chat.id)]
    assert kept == [(1, 1, "One"), (2, 2, "Two\nlines")]
    assert messages(db, 7, chat.id) == before
    found = stored(db, chat)
    assert (found.note_count, found.message_count) == (2, 1)
    assert notes_of(db, [found])[7, chat.id] == notes(db, 7, chat.id)


def test_what_a_stream_reads_of_a_note_is_that_there_is_one(db, chat):
    before = stored(db, chat).revision
    note(db, chat, "He is rude")

    changes = changes_since(db, before)
    assert [each.note_count for each in changes.conversations] == [1]
    assert changes.messages == []
    assert "rude" not in str(changes)


def test_note_that_is_delivered_twice_counts_once(db, chat):
    same = client_id()
    first = note(db, chat, client_id=same)

    assert note(db, chat, client_id=same) == first
    assert len(notes(db, 7, chat.id)) == 1


def test_note_may_follow_the_end_and_answers_nobody(db, chat):
    ask(db, chat)
    waiting = stored(db, chat).waiting_since
    note(db, chat)
    assert stored(db, chat).waiting_since == waiting
    end(db, chat, ClosedBy.AGENT, NOW)
    note(db, chat)

    assert stored(db, chat).note_count == 2


@pytest.mark.parametrize(("sent", "kept"), [("a\x00b ", "ab"), ("x" * 2_001, "x" * 2_000)])
def test_note_is_cleaned_and_cut(db, chat, sent, kept):
    note(db, chat, sent)
    assert [each.text for each in notes(db, 7, chat.id)] == [kept]


def test_note_without_text_and_beyond_the_most_is_refused(db, chat, monkeypatch):
    assert reason_of(note(db, chat, " \n")) is Reason.EMPTY
    monkeypatch.setattr(noted, "MOST_NOTES", 1)
    note(db, chat)
    assert reason_of(note(db, chat)) is Reason.TOO_MANY_NOTES


def test_notes_go_with_the_words(db, chat):
    note(db, chat)
    note(db, chat, now=NOW + SECOND)

    assert forget_messages(db, 7, NOW + INSTANT, 10) == 2  # with the invitation's text
    assert [each.number for each in notes(db, 7, chat.id)] == [2]
    forget_conversations(db, 7, ["visit"])
    assert notes(db, 7, chat.id) == []


def test_words_and_notes_are_forgotten_no_more_at_once_than_told(db, chat):
    note(db, chat)
    note(db, chat)
    assert [forget_messages(db, 7, NOW + INSTANT, 2) for _ in range(3)] == [2, 1, 0]
