"""Who is there, as a trusted proxy says it by a header: MONITOR_SIGN_IN_HEADER.

The header counts only when a proxy of MONITOR_TRUSTED_PROXIES holds the connection, and only if it is
there once; from anybody else it is taken off. The first page begins a session, which counts only while the
proxy names the same person.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Message, Scope, Send

from core.accounts.accounts import AccountError, folded_email
from core.accounts.identity import Identity
from core.accounts.provisioning import Denial, ExternalIdentity, provision
from core.accounts.sessions import Way
from core.deadline import write_async
from core.moment import utc_now
from core.settings import settings
from pages.server.direct_peer import has_trusted_peer, header_values
from pages.server.session_book import Guests
from pages.server.session_cookie import sign_in

NOBODY = (
    "The proxy in front of the dashboard names nobody. Sign in there, then load this page again; "
    "where that does not help, the proxy does not set the header that the dashboard expects."
)

_log = logging.getLogger(__name__)


class ProxySignIn(NamedTuple):
    """Somebody whom the proxy names: who they are, and the header that gives their browser its cookie."""

    identity: Identity
    set_cookie: tuple[bytes, bytes]

    @property
    def cookie(self) -> str:
        """The value of the session's cookie."""
        return self.set_cookie[1].decode().partition(";")[0].partition("=")[2]

    def giving_cookie(self, send: Send) -> Send:
        """The same `send`, of which the response brings the cookie."""

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), self.set_cookie]}
            await send(message)

        return send_with_cookie


def named_by_proxy(scope: Scope) -> str | None:
    """The address that the proxy names, "" when it names nobody; None where no trusted proxy asks."""
    name = settings().sign_in_header.lower()
    if not name or not has_trusted_peer(scope):
        return None
    values = header_values(scope, name)
    is_plain = len(values) == 1 and values[0].isascii()
    return folded_email(values[0].decode()) if is_plain else ""


def without_sign_in_header(scope: Scope) -> Scope:
    """The request as it goes on: the header stays only where a trusted proxy has set it."""
    name = settings().sign_in_header.lower().encode()
    if not name or has_trusted_peer(scope):
        return scope
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() != name]}


def borne_out(guests: Guests, scope: Scope, identity: Identity | None) -> Identity | None:
    """The identity behind the request's cookie, if the proxy does not name another one.

    A session that the proxy began is nobody's without the proxy.
    """
    if identity is None or guests.access is None or not settings().sign_in_header:
        return identity
    named = named_by_proxy(scope)
    if named:
        return identity if guests.access.agent_ids.get(named) == identity.agent_id else None
    return None if identity.session_id in guests.access.by_proxy else identity


async def proxied_identity(scope: Scope) -> ProxySignIn | Denial | None:
    """The session of whom the proxy names, begun now, for a page that has none.

    Denial: why they get no account. None: the proxy names nobody. Raises DatabaseUnavailable.
    """
    named = named_by_proxy(scope)
    if not named:
        return None
    who, now = ExternalIdentity(named), utc_now()
    # The proxy has let them in: no list of the dashboard's own stands beside the proxy's.
    account = await write_async(lambda db: provision(db, who, None, now))
    if isinstance(account, Denial):
        _log.warning("proxy_sign_in_denied reason=%s", account)
        return account
    response = Response()
    try:
        session_id = await sign_in(HTTPConnection(scope), response, account.id, Way.PROXY)
    except AccountError:  # it was removed meanwhile
        return Denial.REMOVED
    [cookie] = [pair for pair in response.raw_headers if pair[0] == b"set-cookie"]
    identity = Identity(account.id, account.role, account.site_ids, session_id)
    return ProxySignIn(identity, cookie)
