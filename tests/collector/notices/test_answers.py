"""Answers to left messages on their way by a real mail server: at least once, tried again, given up where agents see it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from collector.metrics import Metrics, process_numbers
from collector.notices.answer_courier import UNFORESEEN
from collector.notices.sender import SendingProcess
from collector.writing.notice_chore import NoticeChore
from core.chat.contact import set_email
from core.chat.left_messages import mark_done
from core.chat.store import find_conversation
from core.database import open_database, reading, writing
from core.mail.answers import MailState, answer_by_mail, mail_answers, mail_state, send_again
from core.mail.deliveries import NO_SERVER, TAKEN_FOR, count_not_sent, due_answers, take
from core.mail.letter import Letter
from core.mail.sending import NO_SUCH_ADDRESS
from core.mail.server import delete_server, server_state, set_server
from core.moment import milliseconds
from core.notices.deliveries import GIVEN_UP_AFTER, PAUSES
from core.reasons import Reason
from core.sites import add_site, find_site
from core.tables import Conversation, Message
from tests.helpers.chat_rows import NOW, SECOND, add_visit, client_id, open_it, reason_of
from tests.helpers.mail_server_fields import server_fields
from tests.helpers.notice_receivers import MailReceiver, mail_receiver
from tests.helpers.running_collector import FakeClock


@pytest.fixture
def receiver() -> Iterator[MailReceiver]:
    with mail_receiver() as receiver:
        yield receiver


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    with writing(engine) as db:
        add_site(db, name="Tea shop", key="tea", now=NOW)
        add_visit(db, site_id=1)
    yield engine
    engine.dispose()


@pytest.fixture
def sender(database: Engine, clock: FakeClock) -> SendingProcess:
    return SendingProcess(database, Metrics(process_numbers(1), 0), "", clock)


@pytest.fixture
def left(database: Engine) -> Conversation:
    with writing(database) as db:
        chat = open_it(db, site_id=1, is_attended=False, text="Do you ship?")
        chat = set_email(db, chat, "ada@example.org", NOW)
    assert isinstance(chat, Conversation)
    return chat


@pytest.fixture
def answer(database: Engine, left: Conversation, receiver: MailReceiver) -> Callable[..., Any]:
    """answer(text): the result of an agent's answer by mail."""
    with writing(database) as db:
        set_server(db, 1, server_fields(receiver.port))

    def answer(text: str = "Yes, we do.", now: Any = NOW, id: str = "") -> Any:
        with writing(database) as db:
            return answer_by_mail(
                db, left, agent_id=3, client_id=id or client_id(), text=text, now=now
            )

    return answer


def states(database: Engine, left: Conversation) -> list[tuple[MailState, str]]:
    with reading(database) as db:
        found = mail_answers(db, [(1, left.id)]).get(1, {})
        return [(mail_state(each), each.fault) for _, each in sorted(found.items())]


def stored(database: Engine, left: Conversation) -> Conversation:
    with reading(database) as db:
        found = find_conversation(db, 1, left.id)
    assert found is not None
    return found


def test_answer_arrives_with_the_question_and_the_message_is_done(
    database, sender, receiver, left, answer, caplog
):
    caplog.set_level(logging.DEBUG)
    message = answer()
    assert isinstance(message, Message)
    assert (message.author, message.agent_id, message.number) == ("agent", 3, 2)
    assert states(database, left) == [(MailState.ON_ITS_WAY, "")]
    before = stored(database, left)

    sender.send_due()
    sender.send_due()

    (mail,) = receiver.read
    assert mail["To"] == "ada@example.org"
    assert receiver.texts == ["Yes, we do.\n\n> Do you ship?\n"]
    assert states(database, left) == [(MailState.SENT, "")]
    after = stored(database, left)
    assert (after.done_at, after.done_by) == (NOW, 3)
    assert after.revision > before.revision  # agents' pages hear of it
    ours = [each for each in caplog.records if each.name != "mail.log"]  # which is the receiver's
    log = "\n".join(each.getMessage() for each in ours)
    assert f"answer_sent site=tea conversation={left.id} message=2" in log
    assert "ada@" not in log and "Yes, we do" not in log and "Do you ship" not in log


def test_next_answer_goes_into_the_same_thread_and_quotes_the_same(
    database, sender, receiver, clock, answer
):
    answer()
    sender.send_due()
    clock.advance(milliseconds(SECOND))
    answer("By post.", NOW + SECOND)
    sender.send_due()

    first, second = receiver.read
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert second["Subject"] == "Re: Your message to Tea shop"
    assert receiver.texts[1] == "By post.\n\n> Do you ship?\n"


def test_answer_that_is_sent_twice_by_the_browser_is_one_mail(sender, receiver, answer):
    assert answer(id="client999999").number == answer(id="client999999").number
    sender.send_due()
    assert len(receiver.mails) == 1


def test_what_is_refused_for_now_is_tried_again_and_says_why_meanwhile(
    database, sender, receiver, clock, left, answer
):
    receiver.refusals = ["451 not now", "451 not now"]
    answer()
    sender.send_due()
    ((state, fault),) = states(database, left)
    assert (state, fault) == (MailState.ON_ITS_WAY, "The mail server refused the mail. (451)")
    assert stored(database, left).done_at is None

    for pause in PAUSES[:2]:
        clock.advance(milliseconds(pause) - 1)
        sender.send_due()
        assert receiver.mails == []
        clock.advance(1)
        sender.send_due()

    assert len(receiver.mails) == 1
    assert states(database, left) == [(MailState.SENT, "")]


def test_server_that_is_away_is_noted_at_the_site(database, sender, receiver, left, answer):
    with writing(database) as db:
        set_server(db, 1, server_fields(1))
    answer()
    sender.send_due()

    ((state, fault),) = states(database, left)
    assert state is MailState.ON_ITS_WAY
    with reading(database) as db:
        server = server_state(db, 1)
    assert server and server.fault == fault != ""


def test_after_a_day_it_is_given_up_and_stands_in_the_list_again(
    database, sender, receiver, clock, left, answer
):
    answer()
    with writing(database) as db:
        set_server(db, 1, server_fields(1))
        mark_done(db, left, 3, True, NOW)
    clock.advance(milliseconds(GIVEN_UP_AFTER))
    sender.send_due()

    assert states(database, left)[0][0] is MailState.NOT_SENT
    assert stored(database, left).done_at is None
    clock.advance(milliseconds(GIVEN_UP_AFTER))
    sender.send_due()
    assert receiver.mails == []


def test_address_that_takes_no_mail_is_given_up_at_once_and_can_be_tried_again(
    database, sender, receiver, left, answer
):
    receiver.refused_recipient = "550 no such user"
    answer()
    sender.send_due()
    assert states(database, left) == [(MailState.NOT_SENT, f"{NO_SUCH_ADDRESS} (550)")]
    with reading(database) as db:
        server = server_state(db, 1)
        assert count_not_sent(db) == {1: 1}
    assert server and server.fault == ""  # it is not the server's

    receiver.refused_recipient = ""
    with writing(database) as db:
        mark_done(db, left, 3, True, NOW)
        assert count_not_sent(db) == {}
        send_again(db, left, 2, NOW)
    assert states(database, left) == [(MailState.ON_ITS_WAY, "")]
    sender.send_due()
    sender.send_due()
    assert len(receiver.mails) == 1


def test_without_a_server_what_is_on_its_way_is_given_up(
    database, sender, clock, left, answer, caplog
):
    told: list[bool] = []
    chore = NoticeChore(database, clock, told.append)
    answer()
    with writing(database) as db:
        delete_server(db, 1)
    chore.do()
    sender.send_due()
    chore.do()
    assert told == [True, False]  # the sender stays until it is
    assert "answer_given_up site=tea" in caplog.text
    assert states(database, left) == [(MailState.NOT_SENT, NO_SERVER)]
    assert reason_of(answer()) is Reason.NO_MAIL_SERVER


def test_what_nobody_has_foreseen_is_tried_again_and_given_up(
    database, sender, clock, left, answer, monkeypatch, caplog
):
    def fail(_letter: Letter) -> None:
        raise LookupError

    monkeypatch.setattr("core.mail.sending.send_letter", fail)
    answer()
    sender.send_due()
    assert "notices_fail address=mail of tea fault=LookupError" in caplog.text
    assert states(database, left) == [(MailState.ON_ITS_WAY, UNFORESEEN)]
    clock.advance(milliseconds(GIVEN_UP_AFTER))
    sender.send_due()
    assert states(database, left) == [(MailState.NOT_SENT, UNFORESEEN)]


def test_what_a_killed_sender_had_taken_is_sent_with_the_same_message_id(
    database, sender, receiver, clock, left, answer
):
    answer()
    with writing(database) as db:
        site = find_site(db, "tea")
        (due,) = due_answers(db, NOW)[1]
        assert site is not None
        letter = take(db, due, site, NOW)
        assert isinstance(letter, Letter)
        assert take(db, due, site, NOW) is None  # it is nobody else's

    clock.advance(milliseconds(TAKEN_FOR) - 1)
    sender.send_due()
    assert receiver.mails == []
    clock.advance(1)
    sender.send_due()
    assert receiver.read[0]["Message-ID"] == letter.message_id


def test_clock_that_is_set_back_holds_nothing_up(database, sender, receiver, clock, answer):
    ahead = timedelta(hours=5)
    answer(now=NOW + ahead)
    sender.send_due()
    assert len(receiver.mails) == 1


@pytest.mark.parametrize(
    ("email", "text", "reason"),
    [("", "Yes", Reason.NO_ADDRESS), ("ada@example.org", " \n ", Reason.EMPTY)],
)
def test_answer_without_an_address_or_a_text_is_refused(
    database, left, answer, email, text, reason
):
    with writing(database) as db:
        set_email(db, left, email, NOW)
    assert reason_of(answer(text)) is reason
    assert states(database, left) == []


def test_chat_that_goes_on_is_answered_there(database, left, answer):
    with writing(database) as db:
        add_visit(db, "other", site_id=1)
        chat = open_it(db, "other", site_id=1)
        refused = answer_by_mail(db, chat, agent_id=3, client_id=client_id(), text="Yes", now=NOW)
    assert reason_of(refused) is Reason.NOT_LEFT
