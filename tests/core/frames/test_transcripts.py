"""Conversations as frames: a few statements, however many conversations there are."""

from datetime import timedelta

import pytest
from sqlalchemy import event, insert

from core.chat.conversation_facts import AT_A_TIME
from core.chat.queries import invitations, messages_of
from core.chat.search import found_conversations
from core.chat.states import TemplateKind
from core.chat.templates import add_template, all_templates, list_templates
from core.frames import conversations_frame, messages_frame
from core.tables import Conversation, Message, Site
from tests.helpers.chat_rows import add_sites, add_visit

MESSAGES = 3


@pytest.fixture
def statements(db):
    """Every statement that is executed from now on."""
    seen: list[str] = []

    def note(*call):
        seen.append(call[2])

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def fill(db, site, number, now, state="ended"):
    """So many conversations of the site, a minute apart, each with MESSAGES messages."""
    db.execute(insert(Site), [site.model_dump()])
    conversations = [
        Conversation(
            site_id=site.id,
            id=f"chat{position:05d}",
            visit_id=f"visit{position:05d}",
            token=f"token{position:05d}",
            opened_by="visitor",
            state=state,
            created_at=now - timedelta(minutes=position),
            message_count=MESSAGES,
            revision=position + 1,
        )
        for position in range(number)
    ]
    db.execute(insert(Conversation), [each.model_dump() for each in conversations])
    said = [
        {
            "site_id": site.id,
            "conversation_id": each.id,
            "number": line,
            "author": "visitor",
            "agent_id": 0,
            "client_id": f"client{line:05d}",
            "text": f"line {line} of {each.id}",
            "sent_at": each.created_at,
            "revision": each.revision,
        }
        for each in conversations
        for line in range(MESSAGES, 0, -1)
    ]
    db.execute(insert(Message), said)


def test_conversations_name_their_visitors(db, site, now):
    fill(db, site, 3, now)
    add_visit(db, "visit00000", attributes={"name": "Ada"}, browser="Chrome", country="US")
    add_visit(db, "visit00001", browser="Chrome", country="US")
    found = found_conversations(db, site.id, limit=3)

    visitors = ["Ada", "Chrome, United States", "Unknown visitor"]  # the last visit is deleted
    assert conversations_frame(db, found)["visitor"].tolist() == visitors
    assert messages_frame(db, found)["name"].unique().tolist() == visitors


@pytest.mark.parametrize("frame", [messages_frame, conversations_frame])
def test_frame_takes_a_few_statements(db, statements, site, now, frame):
    number = 2 * AT_A_TIME + 1
    fill(db, site, number, now)
    found = found_conversations(db, site.id, limit=number)
    statements.clear()
    rows = frame(db, found)
    assert len(rows) == number * (MESSAGES if frame is messages_frame else 1)
    assert len(statements) <= 3 + 4 * 3  # sites, names of agents; four questions in three parts


def test_messages_come_by_conversation_in_the_order_given_and_by_number(db, site, now):
    fill(db, site, 2 * AT_A_TIME, now)
    found = found_conversations(db, site.id, limit=2 * AT_A_TIME)
    rows = messages_frame(db, found[::-1])
    expected = [(each.id, line) for each in found[::-1] for line in range(1, MESSAGES + 1)]
    assert list(zip(rows["conversation"], rows["number"], strict=True)) == expected
    assert rows["text"].iloc[-1] == f"line {MESSAGES} of chat00000"


def test_messages_of_every_waiting_invitation_are_one_question(db, statements, site, now):
    fill(db, site, AT_A_TIME, now, state="queued")
    waiting = invitations(db)
    statements.clear()
    assert len(messages_of(db, waiting)) == AT_A_TIME
    assert len(statements) == 1


def test_replies_of_every_site_are_one_question(db, statements, now):
    add_sites(db, *range(1, 9))
    for site_id in range(1, 9):
        for text in ("Hello", "Good bye"):
            add_template(db, site_id, TemplateKind.REPLY, text, now)
    statements.clear()
    found = all_templates(db, TemplateKind.REPLY)
    assert len(statements) == 1
    assert found == {
        site_id: list_templates(db, site_id, TemplateKind.REPLY) for site_id in range(1, 9)
    }
