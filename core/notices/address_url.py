"""An address for notices as it is stored, in Apprise's notation; and what may be shown of one.

What is shown never holds a password, a token or the secret path of a webhook.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, quote, urlencode, urlsplit

from core.notices.kinds import NoticeError

LONGEST_URL = 2_000

_WEBHOOK_SCHEMES = {"https": "jsons", "http": "json"}
_AS_SLACK = {":message": "text", ":title": "", ":type": "", ":version": "", ":attachments": ""}
"""How Apprise's plain JSON becomes {"text": ...}: the one line that Slack, Mattermost, Rocket.Chat and others take."""

_NTFY_SCHEMES = {"https": "ntfys", "http": "ntfy"}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,30}")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_ANOTHER = re.compile(r",[a-z0-9]+://", re.IGNORECASE)
"""Where Apprise would begin another address: one of this machine, perhaps."""
_SHOWN = 2


class Security(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


_MODES: Mapping[Security, str] = {Security.STARTTLS: "starttls", Security.TLS: "ssl"}


class MailFields(NamedTuple):
    """Where mail goes, and by which server. username and password: "" where it asks for none."""

    recipient: str
    sender: str
    host: str
    port: int
    security: Security
    username: str = ""
    password: str = ""


def mail_url(fields: MailFields) -> str:
    """The address of a mailbox. Raises NoticeError."""
    host = fields.host.strip().lower()
    if not is_server_name(host, fields.port):
        raise NoticeError(
            f"The mail server '{fields.host}' cannot be used: write its name, such as smtp.example.com."
        )
    query = {
        "smtp": host,
        "to": _checked_email(fields.recipient),
        "from": _checked_email(fields.sender),
    }
    if fields.security in _MODES:
        query["mode"] = _MODES[fields.security]
    if not f"{fields.username}{fields.password}".isascii():
        raise NoticeError(
            "The user name and the password cannot be used: mail servers know ASCII only."
        )
    if fields.username:
        query |= {"user": fields.username, "pass": fields.password}
    scheme = "mailto" if fields.security is Security.NONE else "mailtos"
    return _checked_length(f"{scheme}://{host}:{fields.port}/?{_query(query)}")


def is_server_name(host: str, port: int) -> bool:
    """Whether there can be a mail server of this name or address, in lower case, at this port."""
    return bool(re.fullmatch(r"[a-z0-9.-]+|\[[0-9a-f:]+\]", host)) and 1 <= port <= 65_535


def webhook_url(address: str) -> str:
    """The address of a webhook that takes {"text": ...}, as Slack does. Raises NoticeError."""
    parts = _split_web(address, "https://hooks.slack.com/services/...")
    own = [(name, value) for name, values in parse_qs(parts.query).items() for value in values]
    query = _query({**_AS_SLACK, **{f"-{name}": value for name, value in own}})
    place = f"{parts.netloc}{parts.path or '/'}"
    return _checked_length(f"{_WEBHOOK_SCHEMES[parts.scheme]}://{place}?{query}")


def ntfy_url(server: str, topic: str, token: str = "") -> str:
    """The address of a topic of an ntfy server. Raises NoticeError."""
    parts = _split_web(server, "https://ntfy.sh")
    if not _TOPIC.fullmatch(topic.strip()):
        raise NoticeError(f"The topic '{topic}' cannot be used: write letters, digits, - and _.")
    query = {"mode": "private", **({"token": token.strip()} if token.strip() else {})}
    place = f"{_NTFY_SCHEMES[parts.scheme]}://{parts.netloc}/{topic.strip()}"
    return _checked_length(f"{place}?{_query(query)}")


def check_url(url: str) -> str:
    """An address as Apprise writes it: whether Apprise knows it, a test tells. Raises NoticeError."""
    url = url.strip()
    scheme, separator, rest = url.partition("://")
    is_one = bool(_SCHEME.fullmatch(scheme.lower()) and separator and rest)
    if not is_one or re.search(r"\s", url):
        raise NoticeError(
            "This is no address as Apprise writes it: it begins with a name and ://, for example tgram://."
        )
    if _ANOTHER.search(rest):
        raise NoticeError("These are several addresses: add each by itself.")
    if scheme.lower() in _WEBHOOK_SCHEMES:
        raise NoticeError("This is the address of a webhook: choose Webhook above.")
    if scheme.lower() in _OF_THIS_MACHINE:
        raise NoticeError(f"{scheme}:// tells only this machine: choose another address.")
    return _checked_length(url)


_DESKTOPS = {"dbus", "kde", "qt", "glib", "gio", "gnome", "macosx", "windows"}
_OF_THIS_MACHINE = {"file", "syslog"} | _DESKTOPS
"""Apprise's names for what happens on the machine of the collector itself."""


def is_webhook(url: str) -> bool:
    """Whether `webhook_url` has made it."""
    parts = urlsplit(url)
    texts = parse_qs(parts.query).get(":message", [])
    return parts.scheme in _WEBHOOK_SCHEMES.values() and texts == [_AS_SLACK[":message"]]


def masked(url: str) -> str:
    """What may be shown of the address, enough to tell it from others."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.scheme.startswith("mailto"):
        return f"E-mail to {_masked_email(query.get('to', ''))} by {parts.hostname or '…'}"
    if is_webhook(url):
        return f"Webhook {_host(parts)}/…/{_beginning(parts.path.strip('/').rpartition('/')[2])}"
    if parts.scheme in _NTFY_SCHEMES.values() and "mode" in query:
        return f"ntfy {_host(parts)}/{_beginning(parts.path.strip('/'))}"
    return f"{parts.scheme}://…/{_beginning(parts.path.strip('/').rpartition('/')[2])}"


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _masked_email(address: str) -> str:
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}…@{domain}" if name and "@" not in name else "…"


def _beginning(secret: str) -> str:
    """Two characters of what has many: nobody guesses the rest."""
    return f"{secret[:_SHOWN] if len(secret) > 4 * _SHOWN else ''}…"


def _checked_email(address: str) -> str:
    address = address.strip()
    if not _EMAIL.fullmatch(address):
        raise NoticeError(
            f"'{address}' is no e-mail address: write one, for example ann@shop.example."
        )
    return address


def _split_web(address: str, example: str) -> SplitResult:
    try:
        parts = urlsplit(address.strip())
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        raise NoticeError(f"This is no address: write one, for example {example}") from None
    if not is_one or "@" in parts.netloc or re.search(r"\s", address.strip()):
        raise NoticeError(f"This is no address: write one, for example {example}")
    return parts


def _checked_length(url: str) -> str:
    if len(url) > LONGEST_URL:
        raise NoticeError(f"The address is too long: {LONGEST_URL:,} characters are the most.")
    return url


def _query(values: Mapping[str, str]) -> str:
    return urlencode(values, quote_via=quote, safe="")
