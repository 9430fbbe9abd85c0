"""Sites, visits and conversations are kept apart even when they have the same ids: browsers make the
ids of visits and messages, and may send any."""

import pytest

from core.chat.closing import close_due
from core.chat.conversations import MOST_OPENED
from core.chat.invitations import mark_delivered
from core.chat.messages import send_as_agent, send_as_visitor
from core.chat.queries import conversations_of_visit, messages, open_by_visit
from core.chat.retention import forget_conversations
from core.chat.states import Author, ClosedBy
from core.chat.store import find_by_token
from core.reasons import Reason
from core.tables import Conversation
from tests.helpers.chat_rows import (
    MINUTE,
    NOW,
    SECOND,
    add_visit,
    ask,
    end,
    invited,
    mark_typing,
    open_it,
    opened,
    reason_of,
    stored,
    touch,
    visit_of,
)


@pytest.fixture
def twins(db):
    """The site ids of two visits with the same id."""
    add_visit(db)
    add_visit(db, site_id=8)
    return 7, 8


def test_visits_of_the_same_id_are_invited_apart(db, twins):
    ours, theirs = (invited(db, site_id=site_id) for site_id in twins)

    assert [open_by_visit(db, site_id) for site_id in twins] == [{"visit": ours}, {"visit": theirs}]
    assert conversations_of_visit(db, 8, "visit") == [theirs]
    mark_delivered(db, 8, ours.id, "", NOW)
    assert stored(db, ours).state == "queued"


def test_token_opens_nothing_on_another_site(db, twins):
    conversation = opened(db)

    assert find_by_token(db, 7, conversation.token) == conversation
    assert find_by_token(db, 8, conversation.token) is None


def test_token_opens_its_own_conversation_and_no_other(db, twins):
    add_visit(db, "other")
    conversations = [opened(db), opened(db, "other")]

    assert [find_by_token(db, 7, each.token) for each in conversations] == conversations
    assert find_by_token(db, 7, "unknown") is None
    assert find_by_token(db, 7, "") is None


def test_chat_of_a_visit_touches_no_other_of_the_same_id(db, twins):
    conversation = opened(db, now=NOW + SECOND)
    ask(db, conversation, now=NOW + 2 * SECOND)

    other = visit_of(db, site_id=8)
    assert (other.chat_source, other.chat_message_at, other.last_activity_at) == ("", None, NOW)
    theirs = opened(db, site_id=8, now=NOW + 3 * SECOND)
    end(db, conversation, ClosedBy.AGENT, NOW + 4 * SECOND)
    assert visit_of(db, site_id=8).chat_source == "built_in"
    assert stored(db, theirs).state == "open"


def test_opening_with_an_id_that_another_has_used_is_no_repetition(db, twins):
    add_visit(db, "other")
    opened_ones = [
        open_it(db, client_id="visitor1"),
        open_it(db, site_id=8, client_id="visitor1"),
        open_it(db, "other", client_id="visitor1"),
    ]

    assert len({each.id for each in opened_ones}) == 3
    assert len({each.token for each in opened_ones}) == 3


def test_opening_with_the_id_of_an_agents_message_is_no_repetition(db, twins):
    conversation = opened(db)
    send_as_agent(db, conversation, agent_id=1, client_id="agent001", text="Hi", now=NOW)

    assert reason_of(open_it(db, client_id="agent001")) is Reason.CHATTING


def test_message_with_an_id_that_another_conversation_has_is_no_repetition(db, twins):
    add_visit(db, "other")
    conversations = [*(opened(db, site_id=site_id) for site_id in twins), opened(db, "other")]
    for conversation in conversations:
        send_as_visitor(db, conversation, client_id="line0001", text="Hello", now=NOW)

    assert [
        [each.text for each in messages(db, chat.site_id, chat.id)[1:]] for chat in conversations
    ] == [["Hello"]] * 3


def test_visits_of_the_same_id_open_as_many_each(db, twins):
    add_visit(db, "other")
    for _ in range(MOST_OPENED):
        open_it(db, site_id=8, is_attended=False)
        open_it(db, "other", is_attended=False)
        end(db, invited(db), ClosedBy.AGENT, NOW)

    assert isinstance(open_it(db, is_attended=False), Conversation)


def test_only_the_chat_of_the_visit_that_is_over_ends(db, twins):
    ours, theirs = (opened(db, site_id=site_id) for site_id in twins)
    ask(db, ours, now=NOW + 15 * MINUTE)
    ask(db, theirs, now=NOW + 15 * MINUTE)
    touch(db, NOW + MINUTE, site_id=8)

    assert close_due(db, NOW + 31 * MINUTE) == 1
    assert [stored(db, each).state for each in (ours, theirs)] == ["open", "ended"]


def test_chats_are_forgotten_with_their_own_sites_visit(db, twins):
    ours, theirs = (opened(db, site_id=site_id) for site_id in twins)
    forget_conversations(db, 7, ["visit"])

    assert stored(db, ours) is None
    assert stored(db, theirs) == theirs
    assert len(messages(db, 8, theirs.id)) == 1


def test_nobody_types_in_what_has_ended(db, twins):
    conversation = opened(db)
    for author in Author:
        mark_typing(db, conversation, author, NOW)

    ended = end(db, conversation, ClosedBy.AGENT, NOW + SECOND)
    assert (ended.agent_typing_at, ended.visitor_typing_at) == (None, None)
    assert stored(db, conversation) == ended
