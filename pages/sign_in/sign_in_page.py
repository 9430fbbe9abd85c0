"""The pages of whoever is not signed in, each one response: nothing more is loaded, and no script is needed.

What was typed or sent is written as text only.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from urllib.parse import quote, urlencode

from starlette.responses import HTMLResponse

from core.accounts.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD
from pages.server.base_path import below_base

_HERE = Path(__file__).parent
_STYLE = (_HERE / "sign_in.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "show_password.js").read_text(encoding="utf-8")
_MARK = (_HERE.parent / "static" / "icon.svg").read_text(encoding="utf-8").strip()


def _hash_of(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src {_hash_of(_SCRIPT)}",
        f"style-src {_hash_of(_STYLE)}",
        "img-src data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing runs and nothing is styled but by what stands in these files."""


@dataclass(frozen=True)
class SignInForm:
    """The sign-in page. place: the installation's host. next: where to go on. fault, notice: texts.

    has_passwords: whether anybody can sign in by one. has_oidc: whether OpenID Connect is set up.
    """

    place: str
    next: str
    email: str = ""
    fault: str = ""
    notice: str = ""
    has_passwords: bool = True
    has_oidc: bool = False


def sign_in_page(form: SignInForm, status: int = 200, retry_after: int = 0) -> HTMLResponse:
    """The page that asks for an e-mail address and a password, or leads to where one signs in."""
    parts = [_heading("Sign in", form.place), _fault(form.fault), _notice(form.notice)]
    if form.has_oidc:
        parts.append(_oidc_link(form.next))
    if form.has_oidc and form.has_passwords:
        parts.append('<p class="or">or</p>')
    if form.has_passwords:
        parts.append(_password_form(form))
    if not (form.has_oidc or form.has_passwords):
        parts.append(
            '<p class="hint">Your organisation\'s own sign-in leads here. Open the dashboard by it.</p>'
        )
    return _page("Sign in", "".join(parts), status, retry_after)


def new_password_page(
    place: str, name: str, email: str, secret: str, fault: str = "", status: int = 200
) -> HTMLResponse:
    """The page behind a link: the account sets its password, and is signed in."""
    body = f"""
{_heading("Choose a password", place)}
<p class="hint">For {escape(name)}. The link works once.</p>
{_fault(fault)}
<form method="post" action="{_path("/sign-in/link")}">
<input type="hidden" name="secret" value="{escape(secret)}">
<div><label for="email">E-mail address</label>
<input id="email" name="email" value="{escape(email)}" autocomplete="username" readonly></div>
<div><label for="password">New password</label>
{_password_field("new-password", "rules" + (" fault" if fault else ""), has_focus=True, is_new=True)}
<p class="hint" id="rules">{SHORTEST_PASSWORD} characters or more, and none that many others have. \
A few words that do not belong together are good.</p></div>
<button class="go">Save and sign in</button>
</form>"""
    return _page("Choose a password", body, status)


def dead_link_page(place: str, status: int = 410) -> HTMLResponse:
    """The page of a link that was used, is too old, or never was."""
    body = f"""
{_heading("This link does not work any more", place)}
<p class="notice">It was used, or it is too old. Ask an admin for a new one. If you have chosen your
password already, sign in with it.</p>
<p class="outside"><a class="go" href="{_path("/sign-in")}">Go to the sign-in</a></p>"""
    return _page("This link does not work any more", body, status)


def unavailable_page(place: str, fault: str, retry_after: int, status: int = 503) -> HTMLResponse:
    """The page while it is not known, or not told, whether a link works."""
    body = f"{_heading('Not at this moment', place)}{_fault(fault)}"
    return _page("Not at this moment", body, status, retry_after)


def _page(title: str, body: str, status: int, retry_after: int = 0) -> HTMLResponse:
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="strict-origin">
<title>{escape(title)} · Visitor Monitor</title>
<link rel="icon" href="data:image/svg+xml,{quote(_MARK)}">
<style>{_STYLE}</style>
</head>
<body>
<main>
<p class="product">{_MARK.replace("<svg ", '<svg aria-hidden="true" ')}Visitor Monitor</p>
{body}
</main>
<script>{_SCRIPT}</script>
</body>
</html>
"""
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": CONTENT_POLICY}
    if retry_after:
        headers["Retry-After"] = str(retry_after)
    return HTMLResponse(text, status, headers=headers)


def _heading(title: str, place: str) -> str:
    return f'<h1>{escape(title)}</h1><p class="place">{escape(place)}</p>'


def _fault(text: str) -> str:
    return f'<p class="notice bad" id="fault" role="alert">{escape(text)}</p>' if text else ""


def _notice(text: str) -> str:
    return f'<p class="notice" role="status">{escape(text)}</p>' if text else ""


def _oidc_link(next: str) -> str:
    address = f"{below_base('/sign-in/oidc')}?{urlencode({'next': next})}"
    is_only = f'<a class="go" href="{escape(address)}">Sign in with your organisation</a>'
    return f'<p class="outside">{is_only}</p>'


def _password_form(form: SignInForm) -> str:
    described = "fault" if form.fault else ""
    described_by = f' aria-describedby="{described}"' if described else ""
    focus = "" if form.email else " autofocus"
    return f"""
<form method="post" action="{_path("/sign-in")}">
<input type="hidden" name="next" value="{escape(form.next)}">
<div><label for="email">E-mail address</label>
<input id="email" name="email" value="{escape(form.email)}" inputmode="email" autocomplete="username" \
autocapitalize="none" spellcheck="false" required{described_by}{focus}></div>
<div><label for="password">Password</label>
{_password_field("current-password", described, has_focus=not focus)}</div>
<button class="go{" other" if form.has_oidc else ""}">Sign in</button>
</form>"""


def _password_field(kind: str, described_by: str, *, has_focus: bool, is_new: bool = False) -> str:
    """kind: what a password manager fills in."""
    attributes = [f'autocomplete="{kind}"', "required"]
    if described_by:
        attributes.append(f'aria-describedby="{described_by}"')
    if has_focus:
        attributes.append("autofocus")
    if is_new:
        attributes.append(f'minlength="{SHORTEST_PASSWORD}" maxlength="{LONGEST_PASSWORD}"')
        attributes.append(f'passwordrules="minlength: {SHORTEST_PASSWORD};"')
    return f"""<div class="password">
<input id="password" name="password" type="password" {" ".join(attributes)}>
<button type="button" id="show" aria-label="Show the password" aria-controls="password" hidden>Show</button>
</div>"""


def _path(path: str) -> str:
    return escape(below_base(path))
