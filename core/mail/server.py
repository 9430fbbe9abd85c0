"""A site's mail server: what is set, what may be shown of it, how it goes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_address
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update
from sqlmodel import col

from core.chat.contact import ADDRESS, LONGEST_ADDRESS
from core.chat.templates import hold_site
from core.database import insert_into
from core.enrich.text import clean
from core.notices.address_url import Security, is_server_name
from core.tables import MailServer

LONGEST_NAME = 100
LONGEST_SECRET = 500
"""Characters of a user name or a password (own)."""

NOT_PRIVATE = (
    "Without encryption everybody on the way reads the mails and the password: that works only with a server on "
    "this machine or in its own network. Choose STARTTLS or TLS."
)


class MailServerError(ValueError):
    """A mail server that cannot be used as it is set; the text names the value and the cure."""


class ServerFields(NamedTuple):
    """What an admin sets. username and password: "" where the server asks for none, or to keep what is stored."""

    host: str
    port: int
    security: Security
    username: str
    password: str
    from_address: str
    from_name: str


class ServerState(NamedTuple):
    """A mail server as a page may show it. username: its beginning, "" without one."""

    host: str
    port: int
    security: Security
    username: str
    from_address: str
    from_name: str
    tested_at: datetime | None
    fault: str
    fault_at: datetime | None


def find_server(db: Connection, site_id: int) -> MailServer | None:
    """The site's server with all that is stored of it, for whoever sends; or None."""
    of_site = select(MailServer).where(col(MailServer.site_id) == site_id)
    row = db.execute(of_site).mappings().one_or_none()
    return None if row is None else MailServer.of(row)


def server_state(db: Connection, site_id: int) -> ServerState | None:
    """The site's server as a page may show it; or None."""
    server = find_server(db, site_id)
    if server is None:
        return None
    return ServerState(
        server.host,
        server.port,
        Security(server.security),
        f"{server.username[:2]}…" if server.username else "",
        server.from_address,
        server.from_name,
        server.tested_at,
        server.fault,
        server.fault_at,
    )


def sites_with_server(db: Connection, site_ids: Iterable[int]) -> frozenset[int]:
    """Those of the sites that have a mail server."""
    of_sites = select(col(MailServer.site_id)).where(col(MailServer.site_id).in_(set(site_ids)))
    return frozenset(db.execute(of_sites).scalars())


def has_servers(db: Connection) -> bool:
    """Whether any site has a mail server."""
    return db.execute(select(col(MailServer.site_id)).limit(1)).first() is not None


def set_server(db: Connection, site_id: int, fields: ServerFields) -> None:
    """Store it in place of the one before. Raises MailServerError, and ChatSettingsError of a deleted site.

    A password that is kept stays with its server: to another one it is written anew.
    """
    checked = _checked(fields)
    hold_site(db, site_id)
    before = find_server(db, site_id)
    if before is not None and not (checked.username or checked.password):
        checked = _with_stored_login(checked, before)
    values = {**checked._asdict(), "fault": "", "fault_at": None, "tested_at": None}
    stored = insert_into(db, MailServer).values(site_id=site_id, **values)
    db.execute(stored.on_conflict_do_update(index_elements=["site_id"], set_=values))


def delete_server(db: Connection, site_id: int) -> None:
    """Delete it; one that is not there is gone already."""
    hold_site(db, site_id)
    db.execute(delete(MailServer).where(col(MailServer.site_id) == site_id))


def note_server(db: Connection, site_id: int, fault: str, now: datetime) -> None:
    """Note that it worked (fault ""), or what went wrong."""
    works = {"fault": "", "fault_at": None, "tested_at": now}
    values = {"fault": fault, "fault_at": now} if fault else works
    db.execute(update(MailServer).where(col(MailServer.site_id) == site_id).values(**values))


def _checked(fields: ServerFields) -> ServerFields:
    host = fields.host.strip().lower()
    if not is_server_name(host, fields.port):
        raise MailServerError(
            f"The mail server '{fields.host}' cannot be used: write its name, such as smtp.example.com."
        )
    if fields.security is Security.NONE and _is_public(host):
        raise MailServerError(NOT_PRIVATE)
    username, password = fields.username.strip(), fields.password
    if not f"{username}{password}".isascii() or len(username) + len(password) > LONGEST_SECRET:
        raise MailServerError(
            "The user name or the password cannot be used: mail servers know ASCII only, and so much of it."
        )
    if bool(username) != bool(password):
        raise MailServerError(
            "A user name goes with a password: write both, or none where the server asks for none."
        )
    from_address = fields.from_address.strip()
    if not re.fullmatch(ADDRESS, from_address) or len(from_address) > LONGEST_ADDRESS:
        raise MailServerError(
            f"'{from_address}' is no e-mail address: write the one from which answers come, "
            "for example hello@shop.example."
        )
    from_name = clean(fields.from_name, LONGEST_NAME)
    return ServerFields(
        host, fields.port, fields.security, username, password, from_address, from_name
    )


def _with_stored_login(fields: ServerFields, before: MailServer) -> ServerFields:
    is_same = (fields.host, fields.port, fields.security) == (
        before.host,
        before.port,
        before.security,
    )
    if before.password and not is_same:
        raise MailServerError(
            "Write the user name and the password again: what is stored goes only to the server for which it "
            "was written. For a server that asks for none, remove this one first."
        )
    return fields._replace(username=before.username, password=before.password)


def _is_public(host: str) -> bool:
    """Whether it is an address that is not of a network of its own; of a name that is known once it is connected."""
    try:
        return not ip_address(host.strip("[]")).is_private
    except ValueError:
        return False
