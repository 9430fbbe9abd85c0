"""The fields of an address for notices: where it is, and what goes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

import streamlit as st

from core.notices.address_url import (
    MailFields,
    Security,
    check_url,
    mail_url,
    ntfy_url,
    webhook_url,
)
from core.notices.kinds import CHAT_KINDS, FEWEST_MINUTES, KIND_NAMES, MOST_MINUTES, NoticeKind

FIRST_MINUTES = 5
WORDS_HELP = (
    "On: what a visitor has written in the chat goes along, and the e-mail address that they left. Off: it "
    "stays in the dashboard."
)


class AddressKind(StrEnum):
    """The sorts of addresses, as the page names them."""

    MAIL = "E-mail"
    WEBHOOK = "Webhook (Slack, Mattermost, Rocket.Chat, …)"
    NTFY = "ntfy"
    OTHER = "Another, as Apprise writes it"


SECURITY_NAMES = {
    Security.STARTTLS: "STARTTLS (port 587)",
    Security.TLS: "TLS (port 465)",
    Security.NONE: "None (only on your own machine)",
}


class Wanted(NamedTuple):
    """What goes to an address."""

    kinds: Sequence[str] = CHAT_KINDS
    minutes: int = FIRST_MINUTES
    with_words: bool = False


def draw_place(key: str) -> Callable[[], str]:
    """Draw the fields of where it is; what is returned gives the address, and raises NoticeError."""
    place = st.selectbox("Where to", list(AddressKind), key=f"{key} place")
    return _DRAWN[place](key)


def draw_wanted(key: str, before: Wanted) -> Wanted:
    """Draw what goes there; returns the values now."""
    kinds = st.multiselect(
        "What to tell",
        list(NoticeKind),
        [NoticeKind(kind) for kind in before.kinds if kind in set(NoticeKind)],
        format_func=KIND_NAMES.__getitem__,
        key=f"{key} kinds",
    )
    minutes = st.number_input(
        "In Checkout or Cart for so many minutes",
        FEWEST_MINUTES,
        MOST_MINUTES,
        before.minutes,
        key=f"{key} minutes",
        width=280,
    )
    with_words = st.toggle(
        "With the visitor's words", before.with_words, help=WORDS_HELP, key=f"{key} words"
    )
    return Wanted([kind.value for kind in kinds], int(minutes), with_words)


def _draw_mail(key: str) -> Callable[[], str]:
    recipient = st.text_input("E-mail address", key=f"{key} recipient")
    sender = st.text_input(
        "From", help="The address that the mail comes from.", key=f"{key} sender"
    )
    with st.container(horizontal=True):
        host = st.text_input("Mail server", placeholder="smtp.example.com", key=f"{key} host")
        port = st.number_input("Port", 1, 65_535, 587, key=f"{key} port", width=130)
    security = st.selectbox(
        "Encryption", list(Security), format_func=SECURITY_NAMES.__getitem__, key=f"{key} security"
    )
    with st.container(horizontal=True):
        username = st.text_input("User name", autocomplete="off", key=f"{key} username")
        password = st.text_input(
            "Password", type="password", autocomplete="new-password", key=f"{key} password"
        )
    fields = MailFields(recipient, sender, host, int(port), security, username, password)
    return lambda: mail_url(fields)


def _draw_webhook(key: str) -> Callable[[], str]:
    address = st.text_input(
        "Address of the webhook",
        placeholder="https://hooks.slack.com/services/…",
        type="password",
        autocomplete="off",
        help='It gets {"text": …}. Whoever has the address can write there: it is shown to nobody again.',
        key=f"{key} webhook",
    )
    return lambda: webhook_url(address)


def _draw_ntfy(key: str) -> Callable[[], str]:
    with st.container(horizontal=True):
        server = st.text_input("Server", "https://ntfy.sh", key=f"{key} server")
        topic = st.text_input("Topic", autocomplete="off", key=f"{key} topic")
    token = st.text_input(
        "Token, where one is asked for", type="password", autocomplete="off", key=f"{key} token"
    )
    return lambda: ntfy_url(server, topic, token)


def _draw_other(key: str) -> Callable[[], str]:
    address = st.text_input(
        "Address",
        placeholder="tgram://…",
        type="password",
        autocomplete="off",
        help="Telegram, Teams, Discord, Matrix, Signal, SMS and a hundred more: see Apprise's list of services.",
        key=f"{key} address",
    )
    return lambda: check_url(address)


_DRAWN: dict[AddressKind, Callable[[str], Callable[[], str]]] = {
    AddressKind.MAIL: _draw_mail,
    AddressKind.WEBHOOK: _draw_webhook,
    AddressKind.NTFY: _draw_ntfy,
    AddressKind.OTHER: _draw_other,
}
