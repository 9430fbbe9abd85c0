"""The cookie by which a browser shows that it has signed in to an account before.

It lets nobody in. It spares its owner the waits that strangers cause who guess at the account: see OWASP,
"Slow down online guessing attacks with device cookies". It holds no address: the account's is part of what
is signed.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from pages.server.base_path import below_base
from pages.server.session_cookie import is_https

DEVICE_COOKIE = "monitor_device"
DEVICE_LASTS = timedelta(days=365)


def device_of(request: Request, email: str, secret: str) -> str:
    """The browser's own id, if it has signed in to the account of this address before, else ""."""
    cookie = request.cookies.get(DEVICE_COOKIE, "")
    if not (cookie and secret):
        return ""
    try:
        return _signer(email, secret).unsign(cookie.encode()).decode()
    except (BadSignature, UnicodeError):
        return ""


def remember_device(request: Request, response: Response, email: str, secret: str) -> None:
    """Give the browser its cookie, for the account that it has signed in to."""
    device = device_of(request, email, secret) or secrets.token_urlsafe(16)
    response.set_cookie(
        DEVICE_COOKIE,
        _signer(email, secret).sign(device).decode(),
        max_age=int(DEVICE_LASTS.total_seconds()),
        path=below_base("/sign-in"),
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )


def _signer(email: str, secret: str) -> Signer:
    return Signer(secret, salt=f"{DEVICE_COOKIE} {email}")
