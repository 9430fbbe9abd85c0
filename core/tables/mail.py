"""A site's own mail server, and the answers that went by it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlmodel import Field

from core.tables.base import PartialIndex, Table, moment


class MailServer(Table, table=True):
    """The server by which a site's agents answer left messages. username and password are shown to nobody.

    security: as `core.notices.address_url.Security`. tested_at: when a mail was last taken. fault: what went
    wrong last, "" once it worked.
    """

    site_id: int = Field(primary_key=True)
    host: str
    port: int
    security: str
    username: str = ""
    password: str = ""
    from_address: str
    from_name: str = ""
    tested_at: datetime | None = moment(default=None)
    fault: str = ""
    fault_at: datetime | None = moment(default=None)


class MailAnswer(Table, table=True):
    """That a message of a conversation goes to its visitor by mail; it is deleted with the message.

    message_id: the mail's own, the same at each attempt. asked_at: when an agent wanted it sent. due_at: when it is
    tried next; NULL once it was sent or given up. fault: of the last attempt.
    """

    __table_args__ = (
        PartialIndex("mail_answer_due", "due_at", where=text("due_at IS NOT NULL")),
        PartialIndex(
            "mail_answer_not_sent", "site_id", where=text("due_at IS NULL AND sent_at IS NULL")
        ),
    )

    site_id: int = Field(primary_key=True)
    conversation_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    message_id: str
    asked_at: datetime = moment()
    due_at: datetime | None = moment(default=None)
    attempts: int = 0
    sent_at: datetime | None = moment(default=None)
    fault: str = ""
