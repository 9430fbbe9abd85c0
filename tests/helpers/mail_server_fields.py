"""A site's mail server as an admin writes it."""

from __future__ import annotations

from typing import Any

from core.mail.server import ServerFields
from core.notices.address_url import Security
from core.tables import MailServer


def server_fields(port: int = 587, **columns: Any) -> ServerFields:
    """A server on this machine, without encryption."""
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "security": Security.NONE,
        "username": "",
        "password": "",
        "from_address": "hello@tea.example",
        "from_name": "Tea shop",
    }
    return ServerFields(**{**values, **columns})


def mail_server(port: int, **columns: Any) -> MailServer:
    """The same as it is stored, of no site."""
    return MailServer(site_id=0, **server_fields(port, **columns)._asdict())
