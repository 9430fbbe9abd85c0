"""The mails themselves: an answer to a visitor, and the test of a mail server."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from core.chat.mail_answer import quoted, recipient, subject_of
from core.mail.letter import Letter, new_message_id
from core.tables import MailServer

_POLICY = SMTP.clone(cte_type="7bit")
"""Lines end as mail's do, and what is not ASCII is encoded: any server passes it on."""


def answer_mail(letter: Letter) -> EmailMessage:
    """The mail of an answer. Raises ValueError for an address, or a name, that can stand in no head of a mail."""
    subject, earlier = subject_of(letter.site_name), letter.earlier
    mail = _mail(letter.server, letter.site_name, letter.to, letter.message_id, letter.written_at)
    mail["Subject"] = f"Re: {subject}" if earlier else subject
    if earlier:
        mail["In-Reply-To"] = earlier[-1]
        mail["References"] = " ".join(earlier)
    mail["Auto-Submitted"] = "no"  # RFC 3834: a person has written it, and programs may answer
    mail.set_content(f"{letter.text}\n\n{quoted(letter.question)}\n")
    return mail


def check_mail(server: MailServer, site_name: str, to: str, now: datetime) -> EmailMessage:
    """What the button *Test* sends. Raises as `answer_mail`."""
    mail = _mail(server, site_name, to, new_message_id(server), now)
    mail["Subject"] = f"{site_name}: test of the mail server"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(
        "This mail server works. Answers to messages that visitors of the website have left will go by it.\n"
    )
    return mail


def _mail(
    server: MailServer, site_name: str, to: str, message_id: str, at: datetime
) -> EmailMessage:
    own = _address(server.from_name or site_name, server.from_address)
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = own
    mail["Reply-To"] = own
    mail["To"] = _address("", recipient(to))
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id
    return mail


def _address(name: str, address: str) -> Address:
    user, _, domain = address.rpartition("@")
    if not user:
        raise ValueError("no address")
    try:
        return Address(display_name=name, username=user, domain=domain)
    except Exception as fault:  # IndexError and others, of what the parser did not expect
        raise ValueError("no address") from fault
