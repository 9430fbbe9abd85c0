"""What an answer by mail is made of, before it is a mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from core.random_id import random_id
from core.tables import MailServer


class Letter(NamedTuple):
    """An answer, and the server by which it goes. question: what the visitor left. earlier: the Message-IDs of the
    answers before it."""

    server: MailServer
    to: str
    site_name: str
    text: str
    question: str
    message_id: str
    earlier: Sequence[str]
    written_at: datetime


def new_message_id(server: MailServer) -> str:
    """A Message-ID that no other mail has."""
    domain = server.from_address.rpartition("@")[2]
    return f"<{random_id()}@{domain if domain.isascii() else 'mail.invalid'}>"
