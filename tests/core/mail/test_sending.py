"""Mails by a real server: what arrives, and what is said where it does not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest

from core.mail.letter import Letter
from core.mail.mail_outcome import SENT
from core.mail.sending import (
    MAIL_REFUSED,
    NO_SERVER,
    NO_STARTTLS,
    NO_SUCH_ADDRESS,
    NOT_AN_ADDRESS,
    NOT_SERVED,
    UNKNOWN_HOST,
    send_check,
    send_letter,
)
from core.notices.address_url import Security
from core.notices.sending import LOGIN_REFUSED, NO_ENCRYPTION, TOO_OFTEN
from core.notices.wrong_certificate import UNKNOWN_AUTHORITY, WRONG_NAME
from tests.helpers.chat_rows import NOW
from tests.helpers.free_port import free_port
from tests.helpers.mail_server_fields import mail_server
from tests.helpers.notice_receivers import mail_receiver

LOGIN = {"username": "shop", "password": "p w+/:@%?&#"}


def letter(server: Any, **columns: Any) -> Letter:
    values: dict[str, Any] = {
        "to": "ada@example.org",
        "site_name": "Tea & more",
        "text": "Yes, we do.",
        "question": "Do you ship\nto Österreich?",
        "message_id": "<m2@tea.example>",
        "earlier": [],
        "written_at": NOW,
    }
    return Letter(server, **{**values, **columns})


@contextmanager
def server_that_says(line: str) -> Iterator[int]:
    """The port of a server that says nothing but this line to whoever connects."""

    class Says(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    with ThreadingTCPServer(("127.0.0.1", 0), Says) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_answer_has_what_a_mail_of_a_person_has():
    with mail_receiver() as receiver:
        assert send_letter(letter(mail_server(receiver.port))) == SENT

    (envelope,), (mail,) = receiver.mails, receiver.read
    assert (envelope.mail_from, envelope.rcpt_tos) == ("hello@tea.example", ["ada@example.org"])
    assert mail["From"] == mail["Reply-To"] == "Tea shop <hello@tea.example>"
    assert (mail["To"], mail["Subject"]) == ("ada@example.org", "Your message to Tea & more")
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<m2@tea.example>", "no")
    assert mail["In-Reply-To"] is mail["References"] is None
    assert mail["Date"] == "Sun, 22 Nov 2026 12:34:56 +0000"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    assert envelope.content.isascii()
    assert receiver.texts == ["Yes, we do.\n\n> Do you ship\n> to Österreich?\n"]


def test_next_answer_belongs_to_those_before():
    with mail_receiver() as receiver:
        earlier = ["<m0@tea.example>", "<m1@tea.example>"]
        assert send_letter(letter(mail_server(receiver.port), earlier=earlier)) == SENT

    (mail,) = receiver.read
    assert mail["Subject"] == "Re: Your message to Tea & more"
    assert mail["In-Reply-To"] == "<m1@tea.example>"
    assert mail["References"] == "<m0@tea.example> <m1@tea.example>"


def test_test_says_that_a_machine_has_sent_it():
    with mail_receiver() as receiver:
        server = mail_server(receiver.port, from_name="")
        assert send_check(server, "Tea & more", "ann@tea.example", NOW) == SENT

    (mail,) = receiver.read
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["From"].addresses[0].display_name == "Tea & more"
    assert "This mail server works" in mail.get_content()


@pytest.mark.parametrize("name", ["Tea\r\nBcc: eve@evil.example", "Tea\nshop"])
def test_no_name_can_add_a_line_to_the_head(name):
    with mail_receiver() as receiver:
        outcome = send_letter(letter(mail_server(receiver.port), site_name=name))
    assert (outcome.fault, receiver.mails) == (NOT_AN_ADDRESS, [])


@pytest.mark.parametrize("to", ["", "ada", "a@b.example\r\nBcc: c@d.example", "a@b@c d"])
def test_nothing_goes_to_what_is_no_address(to):
    with mail_receiver() as receiver:
        outcome = send_letter(letter(mail_server(receiver.port), to=to))
    assert outcome.fault and outcome.is_final and outcome.is_of_mail
    assert receiver.mails == []


@pytest.mark.parametrize("kind", ["starttls", "tls"])
def test_mail_goes_encrypted_with_a_login(trusted, kind):
    with mail_receiver(
        LOGIN["password"], **{kind: trusted.server_context("127.0.0.1")}
    ) as receiver:
        server = mail_server(receiver.port, security=Security(kind), **LOGIN)
        assert send_letter(letter(server)) == SENT
    assert len(receiver.mails) == 1


@pytest.mark.parametrize("kind", ["starttls", "tls"])
def test_certificate_of_another_name_is_not_taken(trusted, kind):
    with mail_receiver(**{kind: trusted.server_context("smtp.example")}) as receiver:
        outcome = send_letter(letter(mail_server(receiver.port, security=Security(kind))))
    assert (outcome.fault, outcome.is_final, receiver.mails) == (WRONG_NAME, False, [])


@pytest.mark.parametrize("kind", ["starttls", "tls"])
def test_certificate_of_an_unknown_authority_is_not_taken(own_authority, kind):
    with mail_receiver(**{kind: own_authority.server_context("127.0.0.1")}) as receiver:
        outcome = send_letter(letter(mail_server(receiver.port, security=Security(kind))))
    assert (outcome.fault, receiver.mails) == (UNKNOWN_AUTHORITY, [])


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"security": Security.STARTTLS}, NO_STARTTLS),
        ({"security": Security.TLS}, NO_ENCRYPTION),
        ({"host": "no-such-name.invalid"}, UNKNOWN_HOST),
    ],
)
def test_fault_of_the_server_is_named_and_tried_again(columns, fault):
    with mail_receiver() as receiver:
        outcome = send_letter(letter(mail_server(receiver.port, **columns)))
    assert (outcome.fault, outcome.is_final, outcome.is_of_mail) == (fault, False, False)
    assert receiver.mails == []


def test_wrong_password_is_named(trusted):
    context = trusted.server_context("127.0.0.1")
    with mail_receiver("another", starttls=context) as receiver:
        server = mail_server(receiver.port, security=Security.STARTTLS, **LOGIN)
        outcome = send_letter(letter(server))
    assert (outcome.fault, outcome.is_final) == (LOGIN_REFUSED, False)


def test_server_that_is_not_there_is_named():
    outcome = send_letter(letter(mail_server(free_port())))
    assert (outcome.fault, outcome.is_final) == (NO_SERVER, False)


@pytest.mark.parametrize(
    ("refusal", "fault", "is_final"),
    [
        ("550 no such user", f"{NO_SUCH_ADDRESS} (550)", True),
        ("451 later", f"{TOO_OFTEN} (451)", False),
    ],
)
def test_refused_address_is_named(refusal, fault, is_final):
    with mail_receiver() as receiver:
        receiver.refused_recipient = refusal
        outcome = send_letter(letter(mail_server(receiver.port)))
    assert (outcome.fault, outcome.is_final, outcome.is_of_mail) == (fault, is_final, True)


@pytest.mark.parametrize(("code", "is_final"), [(554, True), (452, False)])
def test_refused_mail_is_named_without_the_servers_words(code, is_final):
    with mail_receiver() as receiver:
        receiver.refusals = [f"{code} ada@example.org is on our list"]
        outcome = send_letter(letter(mail_server(receiver.port)))
    assert (outcome.fault, outcome.is_final) == (f"{MAIL_REFUSED}. ({code})", is_final)


@pytest.mark.parametrize("code", [421, 554])
def test_server_that_refuses_this_machine_says_nothing_of_the_mail(code):
    with server_that_says(f"{code} your network is on our list") as port:
        outcome = send_letter(letter(mail_server(port)))
    assert outcome == (f"{NOT_SERVED} ({code})", False, False)


def test_mail_that_was_taken_is_sent_whatever_the_server_says_then():
    with mail_receiver() as receiver:
        receiver.farewell = "421 too late"
        assert send_letter(letter(mail_server(receiver.port))) == SENT
    assert len(receiver.mails) == 1


def test_without_encryption_nothing_goes_to_a_server_elsewhere(monkeypatch):
    """Of a name it is known only once it is connected."""
    monkeypatch.setattr(socket.socket, "getpeername", lambda _: ("8.8.8.8", 25))
    with mail_receiver() as receiver:
        outcome = send_letter(letter(mail_server(receiver.port)))
    assert outcome.fault.startswith("Without encryption everybody on the way reads")
    assert receiver.mails == []
