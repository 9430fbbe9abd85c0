"""Real receivers of notices on loopback: a web server that keeps what it is sent, and a mail server."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.helpers.free_port import free_port


class Request(NamedTuple):
    """What came: a body is JSON."""

    path: str
    headers: dict[str, str]
    body: Any


class Receiver:
    """requests: what came, in its order. statuses: of the next answers; then 200. on_request: is called before one."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.statuses: list[int] = []
        self.on_request = lambda: None
        self.url = ""

    @property
    def texts(self) -> list[str]:
        """What came to the webhook."""
        return [request.body["text"] for request in self.requests]


@contextmanager
def web_receiver() -> Iterator[Receiver]:
    """It answers every POST."""
    receiver = Receiver()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.requests.append(Request(self.path, dict(self.headers), json.loads(body)))
            receiver.on_request()
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


class MailReceiver:
    """mails: envelopes that it took. refused_recipient: what any recipient is answered with, "" to take them. refusals: what
    the next mails are answered with. farewell: what QUIT is answered with."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refused_recipient = ""
        self.refusals: list[str] = []
        self.farewell = "221 Bye"
        self.port = 0

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take a recipient, unless they are refused."""
        if self.refused_recipient:
            return self.refused_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep the mail, unless it is refused."""
        if self.refusals:
            return self.refusals.pop(0)
        self.mails.append(envelope)
        return "250 OK"

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:
        """Take leave."""
        return self.farewell

    @property
    def read(self) -> list[EmailMessage]:
        """What it took, as a mail program reads it."""
        return [message_from_bytes(each.content, policy=policy.default) for each in self.mails]

    @property
    def texts(self) -> list[str]:
        """What the mails say, with line ends as Python has them."""
        return [mail.get_content().replace("\r\n", "\n") for mail in self.read]


@contextmanager
def mail_receiver(
    password: str = "",
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[MailReceiver]:
    """A mail server; with a password it takes nothing of whoever does not say it. starttls: what it offers, and asks
    for; tls: it speaks nothing else from the beginning."""
    receiver = MailReceiver()

    def authenticate(_server: Any, _session: Any, _envelope: Any, _how: str, login: Any) -> Any:
        is_right = isinstance(login, LoginPassword) and login.password == password.encode()
        return AuthResult(success=is_right, handled=False)

    controller = Controller(
        receiver,
        hostname="127.0.0.1",
        port=free_port(),
        ssl_context=tls,
        tls_context=starttls,
        require_starttls=starttls is not None,
        authenticator=authenticate,
        auth_required=bool(password),
        auth_require_tls=starttls is not None,
    )
    controller.start()
    receiver.port = controller.port
    try:
        yield receiver
    finally:
        controller.stop()
