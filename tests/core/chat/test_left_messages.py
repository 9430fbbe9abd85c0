"""A message that was left stays in the list until it is ticked off, and is answered by e-mail."""

from urllib.parse import parse_qs, urlsplit

import pytest

from core.chat.closing import close_due
from core.chat.contact import set_email
from core.chat.left_messages import mark_done
from core.chat.mail_answer import LONGEST_MAILTO, mailto, question_of
from core.chat.queries import has_listed_conversation, messages, open_conversations
from core.chat.states import Author, ClosedBy
from core.reasons import Reason
from tests.helpers.chat_rows import (
    MINUTE,
    NOW,
    SECOND,
    add_visit,
    answer,
    ask,
    end,
    mark_read,
    open_it,
    opened,
    reason_of,
    stored,
)


@pytest.fixture
def left(db):
    add_visit(db)
    return open_it(db, is_attended=False)


def test_left_message_is_listed_until_it_is_done_and_again_when_it_is_not(db, left):
    mark_read(db, left, Author.AGENT, 1, NOW)
    assert [each.id for each in open_conversations(db)] == [left.id]

    mark_done(db, left, 3, True, NOW + SECOND)
    found = stored(db, left)
    assert (found.done_at, found.done_by) == (NOW + SECOND, 3)
    assert open_conversations(db) == []
    assert not has_listed_conversation(db, 7)

    mark_done(db, left, 4, False, NOW + SECOND)
    found = stored(db, left)
    assert (found.done_at, found.done_by) == (None, 0)
    assert [each.id for each in open_conversations(db)] == [left.id]
    assert has_listed_conversation(db, 7)


def test_what_is_done_is_read(db, left):
    mark_done(db, left, 3, True, NOW)
    assert stored(db, left).agent_read == 1


@pytest.mark.parametrize("by", [ClosedBy.VISITOR, ClosedBy.PAGE])
def test_chat_that_ends_without_an_answer_is_left_for_the_address_that_was_given(db, by):
    add_visit(db)
    chat = open_it(db)
    set_email(db, chat, "ada@tea.example", NOW)

    assert end(db, chat, by, NOW + SECOND).state == "left"
    assert [each.id for each in open_conversations(db)] == [chat.id]


def test_chat_that_nobody_answers_is_left_once_it_ends_by_itself(db):
    add_visit(db)
    chat = open_it(db)
    set_email(db, chat, "ada@tea.example", NOW)

    assert close_due(db, NOW + 31 * MINUTE) == 1
    found = stored(db, chat)
    assert (found.state, found.closed_by) == ("left", "silence")


@pytest.mark.parametrize("by", [ClosedBy.AGENT, ClosedBy.CONSENT, ClosedBy.OPT_OUT])
def test_chat_that_an_agent_or_a_refusal_ends_is_not_left(db, by):
    add_visit(db)
    chat = open_it(db)
    set_email(db, chat, "ada@tea.example", NOW)

    assert end(db, chat, by, NOW).state == "ended"


@pytest.mark.parametrize(("email", "is_answered"), [("", False), ("ada@tea.example", True)])
def test_chat_without_an_address_or_with_an_answer_is_over(db, email, is_answered):
    add_visit(db)
    chat = open_it(db)
    set_email(db, chat, email, NOW)
    if is_answered:
        answer(db, chat)

    assert end(db, chat, ClosedBy.VISITOR, NOW).state == "ended"


@pytest.mark.parametrize("is_done", [True, False])
def test_doing_it_twice_changes_nothing(db, left, is_done):
    mark_done(db, left, 3, is_done, NOW)
    first = stored(db, left)

    assert mark_done(db, left, 4, is_done, NOW + SECOND) == first


def test_chat_is_not_ticked_off(db):
    add_visit(db)
    assert reason_of(mark_done(db, opened(db), 1, True, NOW)) is Reason.NOT_LEFT


def parts_of(address):
    split = urlsplit(address)
    query = parse_qs(split.query, strict_parsing=True)
    return split.path, query["subject"][0], query["body"][0]


def test_answer_has_the_address_a_subject_and_the_words_as_a_quotation():
    address = mailto("ada@example.org", "Tea & more", "100% sure?\nÜber uns #1")

    assert parts_of(address) == (
        "ada@example.org",
        "Your message to Tea & more",
        "\r\n\r\n> 100% sure?\r\n> Über uns #1\r\n",
    )
    assert "%0D%0A" in address and "+" not in address


@pytest.mark.parametrize("text", ["x" * 2_000, "語" * 2_000, "a\n" * 1_000, "😀" * 2_000])
def test_long_words_are_cut_so_that_mail_programs_take_them(text):
    address = mailto("ada@example.org", "Shop", text)
    body = parts_of(address)[2]

    assert LONGEST_MAILTO - 40 <= len(address) <= LONGEST_MAILTO
    assert body.endswith("…\r\n")
    assert text.startswith(
        body.strip().removesuffix("…").replace("\r\n> ", "\n").removeprefix("> ")
    )


@pytest.mark.parametrize("room", [-1, 0, 1])
def test_words_that_just_fit_are_whole(room):
    empty = len(mailto("ada@example.org", "Shop", ""))
    text = "x" * (LONGEST_MAILTO - empty + room)

    assert ("%E2%80%A6" in mailto("ada@example.org", "Shop", text)) is (room > 0)


def test_address_cannot_add_headers_of_its_own():
    address = mailto("a@b.example?bcc=x&y=1", "Shop", "Hi")

    assert address.startswith("mailto:a@b.example%3Fbcc%3Dx%26y%3D1?subject=")


def test_all_that_was_left_is_quoted_and_no_answer(db):
    add_visit(db)
    chat = open_it(db, text="Hello?")
    answer(db, chat, "Good day")
    ask(db, chat, "Do you ship?")
    ask(db, chat, "To Graz?")
    assert question_of(messages(db, 7, chat.id)) == "Do you ship?\n\nTo Graz?"
    answer(db, chat, "By mail")
    assert question_of(messages(db, 7, chat.id)) == "Do you ship?\n\nTo Graz?"


SEVERAL = ["a@b.example,c@d.example", "a@b.example;c@d.example", "a@b.example?bcc=c@d.example"]


@pytest.mark.parametrize("email", ["", "no address", "a@b.example\r\n", *SEVERAL])
def test_without_one_address_there_is_no_answer(email):
    assert mailto(email, "Shop", "Hi") == ""
