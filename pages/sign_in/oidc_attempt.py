"""One sign-in by OpenID Connect under way, from the first redirect to its callback.

Nothing of it is kept here. The browser has a signed cookie with random bytes; state, nonce and code
verifier are made of those and the installation's secret, so the cookie alone gives none of them away.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from pages.server.base_path import below_base
from pages.server.session_cookie import is_https

ATTEMPT_COOKIE = "monitor_oidc"

ATTEMPT_LASTS = 600
"""Seconds to sign in at the issuer, a second factor included (own)."""

_LONGEST_NEXT = 2_000


@dataclass(frozen=True)
class OidcAttempt:
    """state: what the callback brings. nonce: what the token brings. verifier: PKCE's. next: where to go on."""

    state: str
    nonce: str
    verifier: str
    next: str


def begin_attempt(secret: str, next_path: str) -> tuple[OidcAttempt, str]:
    """A new attempt, and the cookie's value for it."""
    seed = secrets.token_urlsafe(32)
    if len(next_path) > _LONGEST_NEXT:
        next_path = below_base("/")
    return _attempt(secret, seed, next_path), _signer(secret).dumps([seed, next_path])


def attempt_of(request: HTTPConnection, secret: str, state: str) -> OidcAttempt | None:
    """The attempt that this browser began and that the state belongs to, None when there is none."""
    cookie = request.cookies.get(ATTEMPT_COOKIE, "")
    try:
        seed, next_path = _signer(secret).loads(cookie, max_age=ATTEMPT_LASTS)
    except (BadData, ValueError, TypeError):
        return None
    attempt = _attempt(secret, seed, next_path)
    return attempt if hmac.compare_digest(attempt.state.encode(), state.encode()) else None


def set_attempt_cookie(request: HTTPConnection, response: Response, value: str) -> None:
    """Give the browser the attempt; "" takes it away."""
    response.set_cookie(
        ATTEMPT_COOKIE,
        value,
        max_age=ATTEMPT_LASTS if value else 0,
        path=below_base("/sign-in/oidc"),
        secure=is_https(request),
        httponly=True,
        samesite="lax",  # the callback comes from the issuer's page
    )


def _attempt(secret: str, seed: str, next_path: str) -> OidcAttempt:
    state, nonce, verifier = (_derived(secret, seed, use) for use in ("state", "nonce", "verifier"))
    return OidcAttempt(state, nonce, verifier, next_path)


def _derived(secret: str, seed: str, use: str) -> str:
    """43 characters, as RFC 7636 wants a verifier at least."""
    digest = hmac.digest(secret.encode(), f"{ATTEMPT_COOKIE} {use} {seed}".encode(), sha256)
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _signer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt=ATTEMPT_COOKIE)
