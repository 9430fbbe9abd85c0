"""The sender against real receivers: at least once, a second time only after a kill, never too much."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlmodel import col

from collector.metrics import Metrics, process_numbers
from collector.notices.rate import MOST_SENT, SENT_WITHIN
from collector.notices.sender import SendingProcess
from core.database import open_database, reading, writing
from core.moment import milliseconds, to_milliseconds
from core.notices.address_url import MailFields, Security, mail_url, ntfy_url, webhook_url
from core.notices.addresses import add_address, address_states, change_address
from core.notices.deliveries import GIVEN_UP_AFTER, PAUSES, TAKEN_FOR
from core.notices.sending import send_text
from core.notices.wrong_certificate import WRONG_NAME
from core.sites import add_site
from core.tables import Conversation, Notice, NoticeDelivery
from tests.helpers.chat_rows import MINUTE, NOW, add_visit, answer, ask, open_it, opened
from tests.helpers.notice_receivers import Receiver, mail_receiver, web_receiver
from tests.helpers.preloaded import ROOT
from tests.helpers.running_collector import FakeClock

DASHBOARD = "https://monitor.example"
KINDS = ["chat_waits", "message_left", "returning", "cart"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with web_receiver() as receiver:
        yield receiver


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    with writing(engine) as db:
        add_site(db, name="Tea shop", key="tea", time_zone="Europe/Berlin", now=NOW)
    yield engine
    engine.dispose()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(process_numbers(1), 0)


@pytest.fixture
def sender(database: Engine, metrics: Metrics, clock: FakeClock) -> SendingProcess:
    return SendingProcess(database, metrics, DASHBOARD, clock)


@pytest.fixture
def to_address(database: Engine) -> Callable[..., str]:
    """to_address(url, ...): an address of the tea shop."""

    def to_address(url: str, **columns: Any) -> str:
        values = {"kinds": KINDS, "minutes": 5, **columns}
        with writing(database) as db:
            return add_address(db, 1, url, NOW - 60 * MINUTE, **values)

    return to_address


def tell(database: Engine, address: str, number: int = 1, **columns: Any) -> None:
    """So many notices on their way to the address."""
    with writing(database) as db:
        for each in range(number):
            id = f"n{each:04}"
            values = {"kind": "returning", "visit_id": "visit", "happened_at": NOW, **columns}
            notice = Notice(site_id=1, id=id, revision=each + 1, **values)
            db.execute(insert(Notice).values(**notice.model_dump()))
            delivery = NoticeDelivery(site_id=1, notice_id=id, address_id=address, due_at=NOW)
            db.execute(insert(NoticeDelivery).values(**delivery.model_dump()))


def waiting(database: Engine) -> int:
    with reading(database) as db:
        return len(db.execute(select(NoticeDelivery)).all())


def state_of(database: Engine) -> Any:
    with reading(database) as db:
        (state,) = address_states(db, 1)
    return state


def test_webhook_gets_one_text_for_each_notice(database, sender, receiver, to_address):
    with writing(database) as db:
        add_visit(
            db,
            site_id=1,
            visit_number=3,
            browser="Chrome",
            country="AT",
            current_path="/green",
            current_title="Green <!channel> tea",
        )
    tell(database, to_address(webhook_url(f"{receiver.url}/services/T0/B0/secret")))

    sender.send_due()

    assert [request.path for request in receiver.requests] == ["/services/T0/B0/secret"]
    assert receiver.requests[0].body.keys() == {"text"}
    assert receiver.texts == [
        "Tea shop: A visitor is back\n"
        "Chrome, Austria, 3rd visit\n"
        "Green &lt;!channel&gt; tea (/green)\n"
        "At 13:34 (Europe/Berlin)\n"
        "https://monitor.example/visitor?site=tea&visit=visit"
    ]
    assert waiting(database) == 0
    assert (state_of(database).told_at, state_of(database).fault) == (NOW, "")


@pytest.mark.parametrize("with_words", [False, True])
def test_visitors_words_go_along_only_where_that_is_switched_on(
    database, sender, receiver, to_address, with_words
):
    address = to_address(webhook_url(receiver.url), with_words=with_words)
    with writing(database) as db:
        add_visit(db, site_id=1)
        left = open_it(db, site_id=1, is_attended=False, text="Do you ship, @channel?")
        of_chat = col(Conversation.id) == left.id
        db.execute(update(Conversation).where(of_chat).values(email="ann@shop.example"))
    tell(database, address, kind="message_left", conversation_id=left.id)

    sender.send_due()

    (text,) = receiver.texts
    assert ("Do you ship, @\u200bchannel?" in text) is with_words
    assert ("ann@shop.example" in text) is with_words
    assert f"/chats?site=tea&conversation={left.id}" in text


def test_only_what_is_not_answered_goes_along(database, sender, receiver, to_address):
    address = to_address(webhook_url(receiver.url), with_words=True)
    with writing(database) as db:
        add_visit(db, site_id=1)
        chat = opened(db, site_id=1)  # "Can I help?" of the agent
        ask(db, chat, "First")
        ask(db, chat, "Second")
    tell(database, address, kind="chat_waits", conversation_id=chat.id, happened_at=NOW)

    sender.send_due()

    assert "“First\nSecond”" in receiver.texts[0]
    assert "Can I help?" not in receiver.texts[0]
    assert "Waits since 13:34" in receiver.texts[0]


@pytest.mark.parametrize("is_answered", [False, True])
def test_chat_that_was_answered_meanwhile_is_not_told_any_more(
    database, sender, receiver, to_address, clock, is_answered
):
    receiver.statuses = [500]
    address = to_address(webhook_url(receiver.url))
    with writing(database) as db:
        add_visit(db, site_id=1)
        chat = opened(db, site_id=1)
        ask(db, chat)
    tell(database, address, kind="chat_waits", conversation_id=chat.id)
    sender.send_due()
    if is_answered:
        with writing(database) as db:
            answer(db, chat)

    clock.advance(milliseconds(PAUSES[0]))
    sender.send_due()

    assert len(receiver.requests) == (1 if is_answered else 2)
    assert waiting(database) == 0


def test_webhook_that_fails_twice_gets_it_after_growing_pauses(
    database, sender, receiver, to_address, clock
):
    receiver.statuses = [500, 503]
    tell(database, to_address(webhook_url(receiver.url)))
    sender.send_due()
    assert state_of(database).fault == "The server did not take it. (HTTP 500)"

    for pause in PAUSES[:2]:
        before = len(receiver.requests)
        clock.advance(milliseconds(pause) - 1)
        sender.send_due()
        assert len(receiver.requests) == before
        clock.advance(1)
        sender.send_due()
        assert len(receiver.requests) == before + 1

    assert waiting(database) == 0
    assert state_of(database).fault == ""


def test_what_could_not_be_told_for_a_day_is_given_up_and_counted(
    database, sender, receiver, to_address, clock
):
    receiver.statuses = [410, 410]
    tell(database, to_address(webhook_url(receiver.url)))
    clock.advance(milliseconds(GIVEN_UP_AFTER) - 1)
    sender.send_due()
    assert (state_of(database).waiting, state_of(database).given_up) == (1, 0)

    clock.advance(milliseconds(PAUSES[0]))
    sender.send_due()

    state = state_of(database)
    assert (state.waiting, state.given_up) == (0, 1)
    assert "no longer valid. (HTTP 410)" in state.fault
    clock.advance(milliseconds(PAUSES[-1]))
    sender.send_due()
    assert len(receiver.requests) == 2


def test_address_that_fails_gets_nothing_more_until_its_pause_is_over(
    database, sender, receiver, to_address
):
    receiver.statuses = [500]
    tell(database, to_address(webhook_url(receiver.url)), number=3)

    sender.send_due()

    assert len(receiver.requests) == 1
    sender.send_due()
    assert len(receiver.requests) == 1


def test_of_many_notices_most_are_one_summary(database, sender, receiver, to_address, clock):
    tell(database, to_address(webhook_url(receiver.url)), number=MOST_SENT + 12)

    sender.send_due()

    assert len(receiver.texts) == MOST_SENT
    assert receiver.texts[-1].startswith(
        "Tea shop: 13 more notices since 13:34 (Europe/Berlin)\nA visitor is back: 13\n"
    )
    assert waiting(database) == 0


def test_beyond_the_rate_what_comes_waits_and_is_told_later(
    database, sender, receiver, to_address, clock
):
    address = to_address(webhook_url(receiver.url))
    tell(database, address, number=MOST_SENT)
    sender.send_due()
    with writing(database) as db:
        for each in range(2):
            delivery = NoticeDelivery(
                site_id=1, notice_id=f"n{each:04}", address_id=address, due_at=NOW
            )
            db.execute(insert(NoticeDelivery).values(**delivery.model_dump()))

    clock.advance(milliseconds(SENT_WITHIN) - 1)
    sender.send_due()
    assert len(receiver.texts) == MOST_SENT
    clock.advance(1)
    sender.send_due()

    assert len(receiver.texts) == MOST_SENT + 2
    assert waiting(database) == 0


def test_nothing_goes_to_an_address_that_is_switched_off(database, sender, receiver, to_address):
    address = to_address(webhook_url(receiver.url))
    tell(database, address)
    with writing(database) as db:
        change_address(db, 1, address, is_enabled=False)

    sender.send_due()

    assert receiver.requests == []
    assert waiting(database) == 0


def test_one_address_that_does_not_answer_holds_up_no_other(database, sender, receiver, to_address):
    tell(database, to_address(webhook_url("http://127.0.0.1:9/")), number=1)
    with writing(database) as db:
        other = add_address(db, 1, webhook_url(receiver.url), NOW, kinds=KINDS, minutes=5)
        delivery = NoticeDelivery(site_id=1, notice_id="n0000", address_id=other, due_at=NOW)
        db.execute(insert(NoticeDelivery).values(**delivery.model_dump()))

    sender.send_due()

    assert len(receiver.requests) == 1
    assert waiting(database) == 1


def test_two_senders_of_one_database_send_each_notice_once(
    database, sender, receiver, to_address, clock
):
    tell(database, to_address(webhook_url(receiver.url)), number=10)
    other = SendingProcess(database, Metrics(process_numbers(1), 0), DASHBOARD, clock)

    threads = [threading.Thread(target=each.send_due) for each in (sender, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert (len(receiver.requests), waiting(database)) == (10, 0)


KILLED = """
import sys
from collector.metrics import Metrics, process_numbers
from collector.notices.sender import SendingProcess
from core.database import open_database
url, now = sys.argv[1:]
print("begins", flush=True)
SendingProcess(open_database(url), Metrics(process_numbers(1), 0), "", lambda: int(now)).send_due()
"""


def test_what_was_sent_and_not_noted_before_a_kill_is_sent_once_more(
    database, database_url, sender, receiver, to_address, clock
):
    tell(database, to_address(webhook_url(receiver.url)))
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, database_url, str(to_milliseconds(NOW))], cwd=ROOT
    )
    receiver.on_request = process.kill
    process.wait(60)
    assert process.returncode == -9
    receiver.on_request = lambda: None
    assert (len(receiver.requests), waiting(database)) == (1, 1)

    clock.advance(milliseconds(TAKEN_FOR) - 1)
    sender.send_due()
    assert len(receiver.requests) == 1
    clock.advance(1)
    sender.send_due()

    assert (len(receiver.requests), waiting(database)) == (2, 0)


def test_ntfy_gets_a_topic_a_title_and_a_message(database, sender, receiver, to_address):
    tell(database, to_address(ntfy_url(receiver.url, "shop-chats", "tk_secret")))

    sender.send_due()

    (request,) = receiver.requests
    assert request.headers["Authorization"] == "Bearer tk_secret"
    assert request.headers["User-Agent"] == "Visitor Monitor"
    assert "X-Icon" not in request.headers
    assert request.body["topic"] == "shop-chats"
    assert request.body["title"] == "Tea shop: A visitor is back"
    assert request.body["message"].startswith("Unknown visitor\nAt 13:34")


@pytest.mark.parametrize("password", ["", "p w+/:@%?&#"])
def test_mail_comes_as_plain_text_by_the_sites_server(database, sender, to_address, password):
    with mail_receiver(password) as server:
        fields = MailFields(
            "ann@shop.example",
            "monitor@shop.example",
            "127.0.0.1",
            server.port,
            Security.NONE,
            *(("shop", password) if password else ()),
        )
        tell(database, to_address(mail_url(fields)))

        sender.send_due()

    (envelope,) = server.mails
    mail = message_from_bytes(envelope.content, policy=policy.default)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("monitor@shop.example", ["ann@shop.example"])
    assert mail["Subject"] == "Tea shop: A visitor is back"
    assert "ann@shop.example" in mail["To"]
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert f"{DASHBOARD}/visitor?site=tea&visit=visit" in text


@pytest.mark.parametrize("kind", ["starttls", "tls"])
def test_mail_comes_encrypted_by_a_server_whose_certificate_is_known(
    database, sender, to_address, trusted, kind
):
    context = trusted.server_context("localhost")
    with mail_receiver("right", **{kind: context}) as server:
        fields = ("ann@shop.example", "m@shop.example", "localhost", server.port)
        tell(database, to_address(mail_url(MailFields(*fields, Security(kind), "shop", "right"))))
        sender.send_due()

    assert (len(server.mails), waiting(database), state_of(database).fault) == (1, 0, "")


def test_wrong_certificate_of_a_mail_server_is_named(database, sender, to_address, trusted):
    with mail_receiver(starttls=trusted.server_context("smtp.example")) as server:
        fields = ("ann@shop.example", "m@shop.example", "localhost", server.port)
        tell(database, to_address(mail_url(MailFields(*fields, Security.STARTTLS))))
        sender.send_due()

    assert (server.mails, state_of(database).fault) == ([], WRONG_NAME)


def test_fault_says_what_is_wrong_with_the_mail_server(database, sender, to_address):
    with mail_receiver("right") as server:
        fields = ("ann@shop.example", "m@shop.example", "127.0.0.1", server.port, Security.NONE)
        tell(database, to_address(mail_url(MailFields(*fields, "shop", "wrong"))))
        sender.send_due()
    assert state_of(database).fault == "The server refused the user name or the password."


def test_address_is_one_whatever_follows_a_comma_in_it(receiver):
    """Apprise takes it for several: another one might be of this machine."""
    with web_receiver() as other:
        second = other.url.replace("http", "json")
        assert not send_text(f"{receiver.url.replace('http', 'json')}/,{second}", "Title", "Body")

        assert (len(receiver.requests), len(other.requests)) == (1, 0)


SET_BACK = milliseconds(GIVEN_UP_AFTER) // 2


def test_what_failed_is_tried_again_though_the_clock_is_set_back(
    database, sender, receiver, to_address, clock
):
    clock.advance(SET_BACK)
    receiver.statuses = [500]
    tell(database, to_address(webhook_url(receiver.url)))
    sender.send_due()
    assert waiting(database) == 1

    clock.advance(-SET_BACK)
    sender.send_due()

    assert (len(receiver.requests), waiting(database)) == (2, 0)


def test_what_was_sent_before_the_clock_was_set_back_holds_up_nothing(
    database, sender, receiver, to_address, clock
):
    clock.advance(SET_BACK)
    address = to_address(webhook_url(receiver.url))
    tell(database, address, number=MOST_SENT)
    sender.send_due()
    again = NoticeDelivery(site_id=1, notice_id="n0000", address_id=address, due_at=NOW)
    with writing(database) as db:
        db.execute(insert(NoticeDelivery).values(**again.model_dump()))

    clock.advance(-SET_BACK)
    sender.send_due()

    assert (len(receiver.requests), waiting(database)) == (MOST_SENT + 1, 0)


def test_address_is_neither_logged_nor_told_in_a_fault(
    database, sender, receiver, to_address, caplog
):
    caplog.set_level(logging.DEBUG)
    receiver.statuses = [500]
    address = to_address(webhook_url(f"{receiver.url}/services/T0/B0/abcdefghijkl"))
    tell(database, address)
    sender.send_due()

    log = "\n".join(record.getMessage() for record in caplog.records)
    assert f"notice_failed kind=returning site=tea address={address}" in log
    assert "abcdefghijkl" not in log + json.dumps(str(state_of(database)))
    assert "127.0.0.1" not in log


def test_sent_notice_is_logged_and_counted(database, sender, metrics, receiver, to_address, caplog):
    caplog.set_level(logging.INFO)
    address = to_address(webhook_url(receiver.url))
    tell(database, address)

    sender.send_due()

    line = f"notice_sent kind=returning site=tea address={address}"
    assert line in [record.getMessage() for record in caplog.records]
    assert 'monitor_notices_total{result="sent"} 1.0' in metrics.text().decode()
