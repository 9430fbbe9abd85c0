"""Sends one text to one address by Apprise, which is imported when that is done first: it takes some 45 MB.

Apprise logs addresses. Here it logs nothing: what it says is read for what went wrong, and goes no further.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from core.notices.address_url import is_webhook
from core.notices.wrong_certificate import certificate_fault

UNKNOWN_ADDRESS = "Apprise does not know such an address, or a part of it is missing."
NO_ANSWER = "The server could not be reached, or did not answer in time."
NOT_TAKEN = "The server did not take it."
LOGIN_REFUSED = "The server refused the user name or the password."
NO_ENCRYPTION = "No encrypted connection could be made: see the port and the kind of encryption."
NOT_ALLOWED = (
    "The server refused it: the token, the password or the address is wrong, or no longer valid."
)
TOO_OFTEN = "The server takes no more just now."

_STATUS = re.compile(r"error[=: ]+(\d{3})")
_SMTP_LOGIN = re.compile(r"\(53[045],|Authentication|auth.*(not supported|failed)", re.IGNORECASE)
_SMTP_REFUSED = re.compile(r"\(5\d\d,|recipients? refused", re.IGNORECASE)
_TLS = re.compile(r"SSL|TLS|certificate", re.IGNORECASE)


def send_text(url: str, title: str, body: str) -> str:
    """ "" once the server has taken it; else what went wrong, in plain words and without the address."""
    loaded = _load()
    with _listening() as said:
        try:
            told = loaded.module.Apprise(asset=loaded.asset)
            # add(url) would take several of it, also one that was refused by itself: those after a comma
            address = told.instantiate(url, asset=loaded.asset)
            if address is None or not told.add(address):
                return UNKNOWN_ADDRESS
            if is_webhook(url):
                title, body = "", f"{_escaped(title)}\n{_escaped(body)}"
            if told.notify(body=body, title=title, body_format=loaded.module.NotifyFormat.TEXT):
                return ""
        except Exception as fault:  # a plugin of others: its words may have the address
            return f"{NOT_TAKEN} ({type(fault).__name__})"
    return _fault_of(said)


class _Loaded(NamedTuple):
    module: Any
    asset: Any


@cache
def _load() -> _Loaded:
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.DEBUG)
    logger.addFilter(_keep)
    for name in ("urllib3", "requests", "requests_oauthlib", "oauthlib"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    apprise: Any = import_module("apprise")
    asset = apprise.AppriseAsset(
        app_id="Visitor Monitor",
        app_desc="Notices of Visitor Monitor",
        http_redirects=False,  # a password goes nowhere else
        allow_templates=False,  # which are files of this machine
        image_url_mask="",
        image_url_logo="",
        app_url="",
    )
    return _Loaded(apprise, asset)


def _keep(record: logging.LogRecord) -> bool:
    """Keep what is said for who listens, and no handler gets it. Apprise's own threads have the context too."""
    if (lines := _said.get()) is not None:
        lines.append(record.getMessage())
    return False


_said: ContextVar[list[str] | None] = ContextVar("said", default=None)


@contextmanager
def _listening() -> Generator[list[str]]:
    lines: list[str] = []
    token = _said.set(lines)
    try:
        yield lines
    finally:
        _said.reset(token)


def _fault_of(said: list[str]) -> str:
    text = "\n".join(said)
    if status := _STATUS.search(text):
        return _fault_of_status(int(status[1]))
    if _SMTP_LOGIN.search(text):
        return LOGIN_REFUSED
    if _SMTP_REFUSED.search(text):
        return NOT_TAKEN
    if fault := certificate_fault(text):
        return fault
    if _TLS.search(text):
        return NO_ENCRYPTION
    return NO_ANSWER


def _fault_of_status(status: int) -> str:
    if status in (401, 403, 404, 410):
        return f"{NOT_ALLOWED} (HTTP {status})"
    return f"{TOO_OFTEN if status == 429 else NOT_TAKEN} (HTTP {status})"


def _escaped(text: str) -> str:
    """Slack reads <!channel> and <http://...|words>: nobody's words are such a thing."""
    return text.replace("<", "&lt;").replace(">", "&gt;")
