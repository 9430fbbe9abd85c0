"""Signing in by OpenID Connect: the authorization code flow with PKCE.

    GET /sign-in/oidc?next=PATH     to the issuer
    GET /sign-in/oidc/callback      back from it: an account, a session, and on to `next`

What goes wrong ends on the sign-in page, with one of the texts of sign_in_fault.py; the log has the reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.accounts.access import existing_secret
from core.accounts.accounts import AccountError, folded_email
from core.accounts.identity import Role
from core.accounts.provisioning import Denial, ExternalIdentity, provision
from core.accounts.sessions import Way
from core.deadline import DatabaseUnavailable, write_async
from core.enrich.text import clean
from core.moment import utc_now
from core.settings import settings
from pages.server.access import Endpoint
from pages.server.base_path import below_base
from pages.server.session_book import latest_guests
from pages.server.session_cookie import next_path, sign_in
from pages.sign_in.oidc_attempt import (
    OidcAttempt,
    attempt_of,
    begin_attempt,
    set_attempt_cookie,
)
from pages.sign_in.oidc_issuer import Issuer, claim_at
from pages.sign_in.oidc_requests import IssuerError
from pages.sign_in.sign_in_fault import SignInFault

_CALLBACK = "/sign-in/oidc/callback"
_LONGEST_WORD = 60
_NO_STORE = {"Cache-Control": "no-store"}
_log = logging.getLogger(__name__)


def oidc_routes() -> list[BaseRoute]:
    """The routes for `st.App(routes=...)`."""
    issuer = Issuer()
    return [
        Route(below_base("/sign-in/oidc"), _answering(_beginning(issuer)), methods=["GET"]),
        Route(below_base(_CALLBACK), _answering(_finishing(issuer)), methods=["GET"]),
    ]


def _answering(endpoint: Endpoint) -> Endpoint:
    """The endpoint, of which every fault ends on the sign-in page."""

    async def answer(request: Request) -> Response:
        if not settings().oidc_issuer:
            return RedirectResponse(below_base("/sign-in"), 303, headers=_NO_STORE)
        try:
            return await endpoint(request)
        except IssuerError as error:
            return _refused(error.fault, str(error))
        except DatabaseUnavailable as error:
            return _refused(SignInFault.DATABASE_AWAY, str(error))

    return answer


def _beginning(issuer: Issuer) -> Endpoint:
    async def begin(request: Request) -> Response:
        goes_to = next_path(request.query_params.get("next", ""))
        attempt, cookie = begin_attempt(await _secret(), goes_to)
        address = await issuer.authorization_url(attempt, _redirect_uri(request))
        response = RedirectResponse(address, 303, headers=_NO_STORE)
        set_attempt_cookie(request, response, cookie)
        return response

    return begin


def _finishing(issuer: Issuer) -> Endpoint:
    async def finish(request: Request) -> Response:
        attempt = attempt_of(request, await _secret(), request.query_params.get("state", ""))
        if attempt is None:  # anybody can ask for this, as often as they like: it is not logged
            return _to_sign_in(SignInFault.STALE)
        try:
            response = await _signed_in(request, issuer, attempt)
        except IssuerError as error:
            response = _refused(error.fault, str(error), attempt.next)
        except DatabaseUnavailable as error:
            response = _refused(SignInFault.DATABASE_AWAY, str(error), attempt.next)
        set_attempt_cookie(request, response, "")
        return response

    return finish


async def _signed_in(request: Request, issuer: Issuer, attempt: OidcAttempt) -> Response:
    await _check_answer(request, issuer)
    code = request.query_params.get("code", "")
    who = identity_in(await issuer.claims(attempt, _redirect_uri(request), code))
    if isinstance(who, Denial):
        return _refused(who, "the claim has no role that is known", attempt.next)
    now = utc_now()
    account = await write_async(lambda db: provision(db, who, settings().oidc_allowed, now))
    if isinstance(account, Denial):
        return _refused(account, "no account", attempt.next)
    response = RedirectResponse(next_path(attempt.next), 303, headers=_NO_STORE)
    try:
        await sign_in(request, response, account.id, Way.OIDC)
    except AccountError:  # it was removed meanwhile
        return _refused(Denial.REMOVED, "no account", attempt.next)
    return response


async def _check_answer(request: Request, issuer: Issuer) -> None:
    """What stands in the address is the issuer's answer, and a good one. Raises IssuerError."""
    metadata, said = await issuer.metadata(), request.query_params
    # RFC 9207: the answer of another issuer is not brought to this one.
    named = said.get("iss", "" if metadata.authorization_response_iss_parameter_supported else None)
    if named is not None and named != metadata.issuer:
        raise IssuerError(SignInFault.FORGED, "the answer names another issuer")
    if "error" in said:
        word = clean(said["error"], _LONGEST_WORD)
        is_denied = word in ("access_denied", "login_required", "consent_required")
        fault = SignInFault.CANCELLED if is_denied else SignInFault.MISCONFIGURED
        raise IssuerError(fault, f"the issuer answered {word!r}")
    if not said.get("code"):
        raise IssuerError(SignInFault.MISCONFIGURED, "the issuer answered without a code")


def identity_in(claims: Mapping[str, Any]) -> ExternalIdentity | Denial:
    """Whom the claims speak of; Denial when they are to have a role by a claim and have none."""
    chosen = settings()
    role = _role_in(claim_at(claims, chosen.oidc_role_claim)) if chosen.oidc_role_claim else None
    if chosen.oidc_role_claim and role is None:
        return Denial.NO_ROLE
    names = (claims.get(name) for name in ("name", "preferred_username"))
    return ExternalIdentity(
        email=_email_in(claims),
        name=next((name for name in names if isinstance(name, str) and name.strip()), ""),
        subject=f"{claims['iss']} {claims['sub']}",
        role=role,
    )


def _email_in(claims: Mapping[str, Any]) -> str:
    """The address, if the issuer says that it is verified: some say it as a text."""
    email, said = claims.get("email"), claims.get("email_verified")
    is_verified = said is True or said == "true"
    if said is None:
        is_verified = settings().oidc_trust_emails
    return folded_email(email) if isinstance(email, str) and is_verified else ""


def _role_in(claim: Any) -> Role | None:
    """The highest role that the claim names, a text or a list of them."""
    words = claim if isinstance(claim, list) else [claim]
    roles = [Role.of(word.lower()) for word in words if isinstance(word, str)]
    return max(filter(None, roles), default=None)


async def _secret() -> str:
    """What this installation signs with."""
    access = (await asyncio.to_thread(latest_guests)).access
    return (access.secret if access else "") or await write_async(existing_secret)


def _redirect_uri(request: Request) -> str:
    """Where the issuer sends the browser back: it has to know this address."""
    address = settings().dashboard_url
    if address:
        return f"{address}{_CALLBACK}"
    return f"{request.url.scheme}://{request.url.netloc}{below_base(_CALLBACK)}"


def _refused(fault: SignInFault | Denial, detail: str, goes_to: str = "") -> Response:
    _log.warning("oidc_refused fault=%s detail=%s", fault.value, detail)
    return _to_sign_in(fault, goes_to)


def _to_sign_in(fault: SignInFault | Denial, goes_to: str = "") -> Response:
    query = {"fault": fault.value, **({"next": goes_to} if goes_to else {})}
    address = f"{below_base('/sign-in')}?{urlencode(query)}"
    return RedirectResponse(address, 303, headers=_NO_STORE)
