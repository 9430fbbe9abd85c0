"""The addresses of whoever is not signed in.

    GET  /sign-in?next=PATH         asks for an e-mail address and a password
    POST /sign-in                   signs in, and goes on to `next`
    GET  /sign-in/link?secret=...   asks for a new password; as often as one likes, it changes nothing
    POST /sign-in/link              sets it, once, and signs in
    POST /sign-out                  signs this browser out

The forms' own checks are in posted_form.py; host and origin are checked before any route.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.accounts.accounts import LONGEST_EMAIL, Account, AccountError
from core.accounts.links import use_link
from core.accounts.passwords import PasswordError, check_password
from core.accounts.sessions import Way
from core.deadline import DatabaseUnavailable, write_async
from core.moment import utc_now
from core.settings import settings
from pages.parts.texts import plural
from pages.server.access import known_identity
from pages.server.base_path import below_base
from pages.server.proxy_sign_in import named_by_proxy
from pages.server.session_book import Guests, SessionBook
from pages.server.session_cookie import next_path, sign_in, sign_out
from pages.server.unavailable import RETRY_AFTER
from pages.sign_in.device_cookie import remember_device
from pages.sign_in.password_check import PasswordCheck, SignInRefusal
from pages.sign_in.password_queue import QueueFull
from pages.sign_in.posted_form import form_post
from pages.sign_in.sign_in_fault import SignInFault
from pages.sign_in.sign_in_page import (
    SignInForm,
    dead_link_page,
    new_password_page,
    sign_in_page,
    unavailable_page,
)

SIGNED_OUT = "You are signed out."
SIGNED_IN_AGAIN = (
    "Your organisation's own sign-in lets you in again as soon as you open the dashboard: "
    "to end that too, sign out there."
)
_STATUS = {
    SignInFault.EMPTY: 422,
    SignInFault.WRONG: 401,
    SignInFault.TOO_OFTEN: 429,
    SignInFault.BUSY: 429,
    SignInFault.DATABASE_AWAY: 503,
}


def sign_in_routes() -> list[BaseRoute]:
    """The routes for `st.App(routes=...)`."""
    door = _Door()
    return [
        Route(below_base("/sign-in"), door.ask, methods=["GET"]),
        Route(below_base("/sign-in"), form_post(door.sign_in), methods=["POST"]),
        Route(below_base("/sign-in/link"), door.ask_new_password, methods=["GET"]),
        Route(below_base("/sign-in/link"), form_post(door.set_password), methods=["POST"]),
        Route(below_base("/sign-out"), form_post(door.sign_out), methods=["POST"]),
    ]


class _Door:
    """The endpoints, with what they share: the attempts of late, and who is signed in."""

    def __init__(self) -> None:
        self._check = PasswordCheck()
        self._book = SessionBook()

    async def ask(self, request: Request) -> Response:
        guests = await self._guests(request)
        goes_to = next_path(request.query_params.get("next", ""))
        if known_identity(request) is not None:
            return _go_to(goes_to)
        fault = SignInFault.text_of(request.query_params.get("fault", ""))
        notice = _signed_out(request) if "signed-out" in request.query_params else ""
        return sign_in_page(_form(request, guests, goes_to, fault=fault, notice=notice))

    async def sign_in(self, request: Request, fields: Mapping[str, str]) -> Response:
        guests = await self._guests(request)
        goes_to = next_path(fields.get("next", ""))
        if guests.access is not None and not guests.must_sign_in:
            return _go_to(goes_to)
        email = fields.get("email", "").strip()[:LONGEST_EMAIL]
        secret = guests.access.secret if guests.access else ""
        found = await self._check.check(request, email, fields.get("password", ""), secret)
        try:
            if isinstance(found, Account):
                return await self._signed_in(request, found, found.agent.password, goes_to)
        except AccountError:  # it was removed, or its password changed, meanwhile
            found = SignInRefusal(SignInFault.WRONG)
        except DatabaseUnavailable:
            found = SignInRefusal(SignInFault.DATABASE_AWAY, RETRY_AFTER)
        form = _form(request, guests, goes_to, email=email, fault=_text_of(found))
        return sign_in_page(form, _STATUS[found.fault], found.retry_after)

    async def ask_new_password(self, request: Request) -> Response:
        secret = request.query_params.get("secret", "")
        account = await self._check.find_link(request, secret)
        if not isinstance(account, Account):
            return _no_link(request, account)
        return _new_password_page(request, account, secret)

    async def set_password(self, request: Request, fields: Mapping[str, str]) -> Response:
        secret, password = fields.get("secret", ""), fields.get("password", "")
        account = await self._check.find_link(request, secret)
        if not isinstance(account, Account):
            return _no_link(request, account)
        try:
            return await self._set_password(request, account, secret, password)
        except DatabaseUnavailable:
            return _database_away(request)

    async def sign_out(self, request: Request, _fields: Mapping[str, str]) -> Response:
        guests = await self._guests(request)
        is_needed = guests.access is None or guests.must_sign_in
        goes_to = f"{below_base('/sign-in')}?signed-out" if is_needed else next_path("")
        response = _go_to(goes_to)
        try:
            await sign_out(request, response, guests)
        except DatabaseUnavailable:
            return _database_away(request, SignInFault.NOT_SIGNED_OUT)
        return response

    async def _set_password(
        self, request: Request, account: Account, secret: str, password: str
    ) -> Response:
        agent = account.agent
        try:
            check_password(password, agent.name, agent.email)
            hashed = await self._check.hash(password)
            await write_async(lambda db: use_link(db, secret, hashed, utc_now()))
            return await self._signed_in(request, account, hashed, next_path(""))
        except PasswordError as fault:
            return _new_password_page(request, account, secret, str(fault), 422)
        except QueueFull:
            return _new_password_page(request, account, secret, SignInFault.BUSY.text, 429)
        except AccountError:  # it was used or removed meanwhile
            return dead_link_page(_place(request))

    async def _signed_in(
        self, request: Request, account: Account, verified: str, goes_to: str
    ) -> Response:
        response = _go_to(goes_to)
        await sign_in(request, response, account.id, Way.PASSWORD, verified)
        access = (await self._guests(request)).access
        if access is not None:
            remember_device(request, response, account.agent.email, access.secret)
        return response

    async def _guests(self, request: Request) -> Guests:
        return await self._book.latest(request.cookies)


def _signed_out(request: Request) -> str:
    return f"{SIGNED_OUT} {SIGNED_IN_AGAIN}" if named_by_proxy(request.scope) else SIGNED_OUT


def _form(
    request: Request,
    guests: Guests,
    goes_to: str,
    *,
    email: str = "",
    fault: str = "",
    notice: str = "",
) -> SignInForm:
    has_other_way = bool(settings().oidc_issuer or settings().sign_in_header)
    return SignInForm(
        place=_place(request),
        next=goes_to,
        email=email,
        fault=fault,
        notice=notice,
        has_passwords=not has_other_way or guests.access is None or guests.access.has_passwords,
        has_oidc=bool(settings().oidc_issuer),
    )


def _new_password_page(
    request: Request, account: Account, secret: str, fault: str = "", status: int = 200
) -> Response:
    agent = account.agent
    return new_password_page(_place(request), agent.name, agent.email, secret, fault, status)


def _no_link(request: Request, refusal: SignInRefusal | None) -> Response:
    """Why nobody can choose a password by this link, or not now."""
    if refusal is None:
        return dead_link_page(_place(request))
    status = _STATUS[refusal.fault]
    return unavailable_page(_place(request), _text_of(refusal), refusal.retry_after, status)


def _database_away(request: Request, fault: SignInFault = SignInFault.DATABASE_AWAY) -> Response:
    return unavailable_page(_place(request), fault.text, RETRY_AFTER)


def _place(request: Request) -> str:
    """The host by which people know this installation."""
    return urlsplit(settings().dashboard_url).netloc or request.headers.get("host", "")


def _text_of(refusal: SignInRefusal) -> str:
    if refusal.fault is not SignInFault.TOO_OFTEN:
        return refusal.fault.text
    return f"{refusal.fault.text} Try again in {plural(refusal.retry_after, 'second')}."


def _go_to(path: str) -> Response:
    return RedirectResponse(path, 303, headers={"Cache-Control": "no-store"})
