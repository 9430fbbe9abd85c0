"""The notice that something has changed in the chats: Postgres gives it at the commit."""

from __future__ import annotations

from sqlalchemy import Connection, text

CHANNEL = "visitor_monitor_chat"
"""The channel of NOTIFY, on which `core.chat.feed` listens."""


def notify(db: Connection) -> None:
    """Wake the listeners once this transaction is committed; SQLite's look by themselves."""
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
