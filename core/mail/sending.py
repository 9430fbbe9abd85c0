"""Sends one mail by a mail server, and says in plain words what went wrong. No word of it is logged."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage
from ipaddress import ip_address

from core.mail.composing import answer_mail, check_mail
from core.mail.letter import Letter
from core.mail.mail_outcome import SENT, MailOutcome
from core.mail.server import NOT_PRIVATE
from core.notices.address_url import Security
from core.notices.sending import LOGIN_REFUSED, NO_ANSWER, NO_ENCRYPTION, TOO_OFTEN
from core.notices.wrong_certificate import certificate_fault
from core.tables import MailServer

TIMEOUT = 15.0
"""Seconds that the server may take for each step; there are a dozen of them."""

UNKNOWN_HOST = "There is no mail server of this name: compare it with what your mail provider says."
NO_SERVER = (
    "The server could not be reached, or did not answer in time: see its name and the port, and whether a "
    "firewall lets this machine out."
)
NOT_SERVED = "The mail server does not serve this machine at the moment: ask your mail provider about this number."
NO_STARTTLS = "The server offers no STARTTLS on this port: choose TLS, usually on port 465."
NO_LOGIN = "The server takes no user name and password on this port: see the port and the kind of encryption."
SENDER_REFUSED = (
    "The server does not let this user send from this address: write one of the mailbox's own."
)
NO_SUCH_ADDRESS = "The mail server says that no mail goes to this address."
NO_UNICODE = "The mail server cannot send to an address with such letters."
MAIL_REFUSED = "The mail server refused the mail"
NOT_AN_ADDRESS = "Nothing can be sent to this address: it is not one."

_FAILURES = (smtplib.SMTPException, OSError, ValueError)


def send_letter(letter: Letter) -> MailOutcome:
    """Send the answer now; see `_send`."""
    return _send(letter.server, lambda: answer_mail(letter))


def send_check(server: MailServer, site_name: str, to: str, now: datetime) -> MailOutcome:
    """Send a mail that says that the server works; see `_send`."""
    return _send(server, lambda: check_mail(server, site_name, to, now))


def _send(server: MailServer, compose: Callable[[], EmailMessage]) -> MailOutcome:
    """Send a mail, which may take a minute. The server's certificate has to be valid for its name."""
    try:
        mail = compose()
        with _connected(server) as smtp:
            if server.security == Security.NONE and not _is_near(smtp):
                return MailOutcome(NOT_PRIVATE)
            if server.security == Security.STARTTLS:
                smtp.starttls(context=ssl.create_default_context())
            if server.password:
                smtp.login(server.username, server.password)
            smtp.send_message(mail)
    except _FAILURES as fault:
        return _outcome_of(fault)
    return SENT


@contextmanager
def _connected(server: MailServer) -> Generator[smtplib.SMTP]:
    """What the server says to the farewell changes nothing: smtplib's own context takes it for a fault of the mail."""
    smtp = _connect(server)
    try:
        yield smtp
    finally:
        with suppress(smtplib.SMTPException):
            smtp.quit()


def _connect(server: MailServer) -> smtplib.SMTP:
    host = server.host.strip("[]")
    # Else the name of this machine is looked up, and told.
    own_name = server.from_address.rpartition("@")[2]
    name = own_name if own_name.isascii() else "localhost"
    if server.security == Security.TLS:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, server.port, name, timeout=TIMEOUT, context=context)
    return smtplib.SMTP(host, server.port, name, timeout=TIMEOUT)


def _is_near(smtp: smtplib.SMTP) -> bool:
    """Whether the server is on this machine or in a network of its own, whatever its name says."""
    assert smtp.sock is not None
    return ip_address(smtp.sock.getpeername()[0].partition("%")[0]).is_private


def _outcome_of(fault: Exception) -> MailOutcome:
    match fault:
        case smtplib.SMTPAuthenticationError():
            return MailOutcome(LOGIN_REFUSED)
        case smtplib.SMTPNotSupportedError():
            return _unsupported(fault)
        case smtplib.SMTPSenderRefused():
            return MailOutcome(f"{SENDER_REFUSED} ({fault.smtp_code})")
        case smtplib.SMTPRecipientsRefused():
            code = max((code for code, _ in fault.recipients.values()), default=0)
            text = NO_SUCH_ADDRESS if code >= 500 else TOO_OFTEN
            return MailOutcome(f"{text} ({code})", code >= 500, True)
        case smtplib.SMTPDataError():
            code = fault.smtp_code
            return MailOutcome(f"{MAIL_REFUSED}. ({code})", code >= 500, True)
        case smtplib.SMTPResponseException() if fault.smtp_code >= 400:
            return MailOutcome(f"{NOT_SERVED} ({fault.smtp_code})")
        case ssl.SSLCertVerificationError():
            return MailOutcome(certificate_fault(str(fault)) or NO_ENCRYPTION)
        case ssl.SSLError():
            return MailOutcome(NO_ENCRYPTION)
        case smtplib.SMTPServerDisconnected():
            return MailOutcome(NO_ANSWER)
        case OSError():
            return MailOutcome(UNKNOWN_HOST if _is_unknown_name(fault) else NO_SERVER)
        case _:  # what cannot be written into the head of a mail
            return MailOutcome(NOT_AN_ADDRESS, True, True)


def _is_unknown_name(fault: OSError) -> bool:
    return type(fault).__name__ == "gaierror"


def _unsupported(fault: Exception) -> MailOutcome:
    said = str(fault).upper()
    if "STARTTLS" in said:
        return MailOutcome(NO_STARTTLS)
    if "SMTPUTF8" in said:
        return MailOutcome(NO_UNICODE, True, True)
    return MailOutcome(NO_LOGIN)
