"""The cookie of a session: how a browser is signed in and out."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

from core.accounts.access import existing_secret
from core.accounts.accounts import check_verified, existing_account
from core.accounts.sessions import (
    ENDS_AFTER,
    NewSession,
    Way,
    begin_session,
    end_session,
    session_id,
)
from core.database import Connection
from core.deadline import DatabaseUnavailable, write_async
from core.enrich.user_agent import read_user_agent
from core.locks import lock_accounts
from core.moment import utc_now
from core.settings import settings
from pages.server.access import known_identity
from pages.server.base_path import below_base
from pages.server.session_book import SESSION_COOKIE, Guests, forget_guests, signed, unsigned
from pages.server.sign_in_log import sign_in_log


async def sign_in(
    request: HTTPConnection,
    response: Response,
    agent_id: int,
    way: Way,
    verified: str | None = None,
) -> str:
    """Begin a session of the account, and give its cookie with the response. Returns the session's id.

    verified: the hash of the password that was right; None when another service has let them in.
    The cookie is always a new one, and the session that the browser had ends. Raises DatabaseUnavailable,
    and AccountError when the account was removed, or its password changed, meanwhile.
    """
    now, browser = utc_now(), browser_of(request)

    def begin(db: Connection) -> tuple[NewSession, str]:
        lock_accounts(db)  # so that nothing changes between the check and the session
        if verified is None:
            existing_account(db, agent_id)
        else:
            check_verified(db, agent_id, verified)
        secret = existing_secret(db)
        _end_old(db, request, secret)
        return begin_session(db, agent_id, way, browser, now), secret

    session, secret = await write_async(begin)
    forget_guests()
    sign_in_log.info("signed_in agent=%d way=%s", agent_id, way.value)
    response.set_cookie(
        SESSION_COOKIE,
        signed(session.token, secret),
        max_age=int(ENDS_AFTER.total_seconds()),
        path=below_base("/"),
        secure=is_https(request),
        httponly=True,
        samesite="lax",
    )
    return session.id


async def sign_out(request: HTTPConnection, response: Response, guests: Guests) -> None:
    """End the session of the browser, and take its cookie away. Raises DatabaseUnavailable.

    Anybody may ask for it: only a cookie that this installation has signed is worth a transaction.
    """
    cookie = request.cookies.get(SESSION_COOKIE, "")
    secret = guests.access.secret if guests.access else ""
    if cookie and not secret and (guests.access is None or guests.fault):
        raise DatabaseUnavailable(guests.fault)
    if token := unsigned(cookie, secret):
        await write_async(lambda db: end_session(db, session_id(token)))
        forget_guests()
    if (identity := known_identity(request)) and identity.is_signed_in:
        sign_in_log.info("signed_out agent=%d", identity.agent_id)
    response.delete_cookie(
        SESSION_COOKIE,
        path=below_base("/"),
        secure=is_https(request),
        httponly=True,
        samesite="lax",
    )


def is_https(request: HTTPConnection) -> bool:
    """Whether browsers reach the dashboard by https: here, or at a proxy before it."""
    return settings().dashboard_url.startswith("https:") or request.url.scheme in ("https", "wss")


def next_path(text: str) -> str:
    """Where to go on after signing in: a path of this dashboard with its query, else its first page.

    Whatever could lead elsewhere is not taken: another host, a backslash, a second slash.
    """
    first = below_base("/")
    is_path = text.startswith(first) and not text.startswith("//")
    return text if is_path and text.isprintable() and "\\" not in text else first


def browser_of(request: HTTPConnection) -> str:
    """The browser in words: "Chrome, Windows"."""
    named = read_user_agent(request.headers.get("user-agent", ""))
    return f"{named.browser}, {named.os}"


def _end_old(db: Connection, request: HTTPConnection, secret: str) -> None:
    token = unsigned(request.cookies.get(SESSION_COOKIE, ""), secret)
    if token:
        end_session(db, session_id(token))
