"""A link by which somebody sets their password: where it leads, and how it is shown, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import streamlit as st

from core.accounts.links import link_path
from core.enrich.this_machine import names_this_machine
from core.settings import settings
from pages.parts.texts import day_and_time_of, notice, small_text
from pages.parts.time_zone import own_time_zone
from pages.server.base_path import below_base

ONLY_HERE = (
    "It leads to this machine, as your own address does. For a colleague elsewhere, open the dashboard by the "
    "address that they reach, and make a new one there."
)


@dataclass(frozen=True)
class ShownLink:
    """A new link: its address has the secret, which the database does not know."""

    name: str
    address: str
    until: datetime


def link_address(secret: str) -> str:
    """The address of the link: below the one set for the dashboard, else below the one in use."""
    shown = urlsplit(st.context.url or "http://localhost")
    base = settings().dashboard_url or f"{shown.scheme}://{shown.netloc}{below_base('')}"
    return base + link_path(secret)


def draw_link(link: ShownLink) -> None:
    """Draw the link with a button that copies it, and what to do with it."""
    zone = own_time_zone()
    notice(
        "It is not shown again, and nothing was mailed.",
        title=f"Send this link to {link.name} yourself.",
        kind="good",
    )
    st.code(link.address, language=None, wrap_lines=True)
    small_text(
        f"Whoever opens it sets the password of this account. It works once, until "
        f"{day_and_time_of(link.until, zone)} ({zone}); a new one can be made at any time."
    )
    if names_this_machine(urlsplit(link.address).netloc):
        small_text(ONLY_HERE)
