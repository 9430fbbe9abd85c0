"""A conversation goes on: what each side says, reads and types, who has it, how it ends."""

import pytest

from core.chat.conversations import MOST_OPENED
from core.chat.messages import send_as_agent, send_as_visitor
from core.chat.queries import messages, unread_counts
from core.chat.retention import forget_conversations
from core.chat.states import Author, ClosedBy
from core.chat.store import find_by_token
from core.chat.typing import typing_until
from core.reasons import Reason
from tests.helpers.chat_rows import (
    MINUTE,
    NOW,
    SECOND,
    active_moments,
    add_visit,
    answer,
    ask,
    end,
    mark_read,
    mark_typing,
    open_it,
    opened,
    reason_of,
    span_of,
    stored,
    take_over,
    visit_of,
)

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.fixture
def conversation(db):
    add_visit(db)
    return opened(db)


def unread(db, conversation):
    found = stored(db, conversation)
    return unread_counts(db, [found])[7, conversation.id]


def test_messages_are_numbered_in_their_order(db, conversation):
    ask(db, conversation, "one")
    answer(db, conversation, "two")
    ask(db, conversation, "three")

    lines = messages(db, 7, conversation.id)
    assert [(each.number, each.author, each.text) for each in lines[1:]] == [
        (2, "visitor", "one"),
        (3, "agent", "two"),
        (4, "visitor", "three"),
    ]
    assert stored(db, conversation).message_count == 4


def test_message_that_is_delivered_twice_counts_once(db, conversation):
    for say in (
        lambda text: send_as_visitor(db, conversation, client_id="visitor1", text=text, now=NOW),
        lambda text: send_as_agent(
            db, conversation, agent_id=1, client_id="agent001", text=text, now=NOW
        ),
    ):
        first, again = say("Once"), say("Another text")
        assert first == again
    assert stored(db, conversation).message_count == 3


def test_repeated_message_finds_itself_after_the_end(db, conversation):
    message = send_as_visitor(db, conversation, client_id="visitor1", text="Bye", now=NOW)
    end(db, conversation, ClosedBy.AGENT, NOW)

    again = send_as_visitor(db, conversation, client_id="visitor1", text="Bye", now=NOW)
    assert again == message


def test_waiting_begins_with_the_first_question_and_ends_with_the_answer(db, conversation):
    waiting = []
    for say, at in ((ask, 1), (ask, 2), (answer, 3), (answer, 4), (ask, 5)):
        say(db, conversation, now=NOW + at * SECOND)
        waiting.append(stored(db, conversation).waiting_since)
    end(db, conversation, ClosedBy.VISITOR, NOW + 6 * SECOND)

    first, fifth = NOW + SECOND, NOW + 5 * SECOND
    assert waiting == [first, first, None, None, fifth]
    assert stored(db, conversation).waiting_since is None


def test_unread_are_the_visitors_messages_after_what_was_read(db, conversation):
    counts = [unread(db, conversation)]
    for say in (ask, answer, ask):
        say(db, conversation)
        counts.append(unread(db, conversation))
    for number in (2, 1, -5, 4, 99):
        mark_read(db, conversation, Author.AGENT, number, NOW)
        counts.append(unread(db, conversation))

    assert counts == [0, 1, 1, 2, 1, 1, 1, 0, 0]
    assert stored(db, conversation).agent_read == 4


def test_reading_of_one_side_is_not_the_others(db, conversation):
    mark_read(db, conversation, Author.VISITOR, 1, NOW)

    found = stored(db, conversation)
    assert (found.visitor_read, found.agent_read) == (1, 0)
    assert mark_read(db, conversation, Author.VISITOR, 1, NOW).revision == found.revision


def test_visitors_message_is_activity_and_the_agents_is_not(db, conversation):
    ask(db, conversation, now=NOW + MINUTE)
    assert visit_of(db).chat_message_at == span_of(db, conversation).until_at == NOW + MINUTE
    answer(db, conversation, now=NOW + 2 * MINUTE)

    visit = visit_of(db)
    assert (visit.last_activity_at, visit.last_seen_at) == (NOW + MINUTE, NOW + MINUTE)
    assert (visit.chat_started_at, visit.chat_message_at) == (NOW, NOW + 2 * MINUTE)
    assert span_of(db, conversation).until_at == NOW + 2 * MINUTE
    assert active_moments(db, conversation) == [NOW, NOW + MINUTE]


def test_typing_is_noted_and_ends_with_the_message(db, conversation):
    mark_typing(db, conversation, Author.VISITOR, NOW)
    mark_typing(db, conversation, Author.AGENT, NOW + SECOND)
    typing = stored(db, conversation)
    ask(db, conversation)
    answer(db, conversation)
    silent = stored(db, conversation)

    assert (typing.visitor_typing_at, typing.agent_typing_at) == (NOW, NOW + SECOND)
    assert (silent.visitor_typing_at, silent.agent_typing_at) == (None, None)


def test_typing_holds_for_six_seconds(db, conversation):
    assert typing_until(stored(db, conversation), Author.VISITOR) is None
    mark_typing(db, conversation, Author.VISITOR, NOW)
    typing = stored(db, conversation)
    assert typing_until(typing, Author.VISITOR) == NOW + 6 * SECOND
    assert typing_until(typing, Author.AGENT) is None


def test_conversation_is_its_agents_until_a_colleague_takes_over(db, conversation):
    assert reason_of(answer(db, conversation, agent_id=2)) is Reason.TAKEN
    mark_typing(db, conversation, Author.AGENT, NOW)
    taken = take_over(db, conversation, 2, NOW)
    assert (taken.agent_id, taken.agent_typing_at) == (2, None)
    assert answer(db, conversation, agent_id=2).agent_id == 2
    assert reason_of(answer(db, conversation, agent_id=1)) is Reason.TAKEN


def test_who_answers_what_nobody_has_takes_it(db):
    add_visit(db)
    conversation = open_it(db)
    assert conversation.agent_id == 0
    answer(db, conversation, agent_id=2)

    assert stored(db, conversation).agent_id == 2


@pytest.mark.parametrize("by", [ClosedBy.VISITOR, ClosedBy.AGENT])
def test_end_closes_the_span_and_the_status(db, conversation, by):
    ended = end(db, conversation, by, NOW + MINUTE)

    assert (ended.state, ended.closed_by, ended.closed_at) == ("ended", by, NOW + MINUTE)
    assert visit_of(db).chat_source == ""
    span = span_of(db, conversation)
    assert (span.from_at, span.until_at, span.is_open) == (NOW, NOW + MINUTE, False)


def test_nothing_changes_after_the_end(db, conversation):
    end(db, conversation, ClosedBy.VISITOR, NOW)
    ended = stored(db, conversation)
    later = NOW + SECOND

    assert end(db, conversation, ClosedBy.AGENT, later) == ended
    assert mark_typing(db, conversation, Author.AGENT, later) == ended
    assert reason_of(ask(db, conversation, now=later)) is Reason.OVER
    assert reason_of(answer(db, conversation, now=later)) is Reason.OVER
    assert reason_of(take_over(db, conversation, 2, later)) is Reason.OVER
    assert stored(db, conversation) == ended


def test_deleted_conversation_is_told(db, conversation):
    forget_conversations(db, 7, ["visit"])

    for refused in (
        ask(db, conversation),
        answer(db, conversation),
        end(db, conversation, ClosedBy.AGENT, NOW),
        take_over(db, conversation, 2, NOW),
        mark_typing(db, conversation, Author.AGENT, NOW),
        mark_read(db, conversation, Author.AGENT, 1, NOW),
    ):
        assert reason_of(refused) is Reason.NO_CONVERSATION
    assert messages(db, 7, conversation.id) == []


def test_conversation_has_an_end_of_messages(db, conversation, monkeypatch):
    monkeypatch.setattr("core.chat.messages.MAX_MESSAGES", 2)
    ask(db, conversation)

    assert reason_of(ask(db, conversation)) is Reason.TOO_MANY
    assert reason_of(answer(db, conversation)) is Reason.TOO_MANY


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a\x00b\x07c", "abc"),
        ("\ud83d and \udc00", "\ufffd and \ufffd"),
        ("\u202eevil\u2066 \u200bname", "evil name"),
        ("<b onclick='x()'>&amp;", "<b onclick='x()'>&amp;"),
        ("one\r\n\n\n\n\ntwo  three ", "one\n\ntwo three"),
        ("x" * 1_000_000, "x" * 2_000),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("e\u0301", "é"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("\u0915\u094d\u200c\u0937", "\u0915\u094d\u200c\u0937"),
        (ENGLAND, ENGLAND),
        ("\u05d0 \u2066C++\u2069\u200f", "\u05d0 \u2066C++\u2069\u200f"),
        ("hi\U000e0041", "hi"),
    ],
    ids=["NUL", "surrogates", "bidi", "markup", "lines", "1 MB", "emoji", "accent", "Persian",
         "Hindi", "flag", "Hebrew", "loose tag"],
)  # fmt: skip
def test_text_is_cleaned_and_cut(db, conversation, sent, kept):
    assert ask(db, conversation, sent).text == kept
    assert answer(db, conversation, sent).text == kept
    assert [each.text for each in messages(db, 7, conversation.id)][1:] == [kept, kept]


@pytest.mark.parametrize("text", ["", "  \n ", "\x00\u2060"])
def test_message_without_text_is_refused(db, conversation, text):
    assert reason_of(ask(db, conversation, text)) is Reason.EMPTY
    assert reason_of(answer(db, conversation, text)) is Reason.EMPTY


def test_visitor_opens_a_conversation(db):
    add_visit(db)
    conversation = open_it(db, tab="tab1", text="Hello?")

    assert (conversation.state, conversation.opened_by) == ("open", "visitor")
    assert (conversation.agent_id, conversation.tab) == (0, "tab1")
    assert conversation.accepted_at == conversation.waiting_since == NOW
    assert find_by_token(db, 7, conversation.token) == conversation
    assert visit_of(db).chat_source == "built_in"
    assert unread(db, conversation) == 1


def test_opening_twice_finds_the_same(db):
    add_visit(db)
    first, again = (open_it(db, client_id="visitor1") for _ in range(2))

    assert first == again


def test_token_of_a_chat_is_not_given_for_the_visit_alone(db, conversation):
    assert reason_of(open_it(db)) is Reason.CHATTING
    assert stored(db, conversation).message_count == 1


def test_visitor_in_another_products_chat_does_not_open_ours(db):
    add_visit(db, chat_source="third_party", chat_message_at=NOW)

    assert reason_of(open_it(db)) is Reason.CHATTING


def test_message_to_nobody_is_left(db):
    add_visit(db)
    conversation = open_it(db, is_attended=False)

    assert (conversation.state, conversation.closed_at) == ("left", NOW)
    assert (conversation.closed_by, conversation.waiting_since) == ("", None)
    assert unread(db, conversation) == 1
    assert visit_of(db).chat_source == ""
    assert span_of(db, conversation) is None
    assert reason_of(answer(db, conversation)) is Reason.OVER
    assert end(db, conversation, ClosedBy.AGENT, NOW).state == "left"


def test_visit_opens_a_few_conversations(db):
    add_visit(db)
    for _ in range(MOST_OPENED):
        open_it(db, is_attended=False)

    assert reason_of(open_it(db)) is Reason.TOO_MANY


def test_visit_that_is_over_opens_none(db):
    add_visit(db, last_activity_at=NOW - 30 * MINUTE)

    assert reason_of(open_it(db)) is Reason.NO_VISIT
    assert reason_of(open_it(db, text=" ")) is Reason.EMPTY
