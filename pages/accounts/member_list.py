"""The accounts, one below the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from core.accounts.team import Member
from core.tables import Site
from pages.accounts.account_words import (
    ROLE_NAMES,
    is_known_elsewhere,
    sites_in_words,
    ways_in_words,
)
from pages.parts.texts import day_and_time_of, plural

NOT_YET = "Invited, has not signed in yet."
NEW_PASSWORD = "Has to set a new password."
NO_LINK = "The link has ended: make a new one."


def draw_members(
    members: Sequence[Member],
    sites: Sequence[Site],
    own_id: int,
    zone: str,
    on_change: Callable[[int], None],
) -> None:
    """Draw each account with a button that opens it; `own_id`: the agent's who looks."""
    with st.container(key="members", gap=None):
        for member in members:
            _draw(member, sites, own_id, zone, on_change)


def _draw(
    member: Member,
    sites: Sequence[Site],
    own_id: int,
    zone: str,
    on_change: Callable[[int], None],
) -> None:
    account = member.account
    you = ' <span class="you">you</span>' if account.id == own_id else ""
    role = ROLE_NAMES[account.role]
    with st.container(
        horizontal=True, vertical_alignment="center", key=f"member {account.id}", gap="small"
    ):
        st.html(
            '<div class="member">'
            f"<div><h2>{escape(account.agent.name)}{you}</h2><p>{escape(account.agent.email)}</p></div>"
            f"<div><strong>{role}</strong><p>{escape(sites_in_words(account, sites))}</p></div>"
            f"<div>{_presence(member, zone)}</div></div>",
            width="stretch",
        )
        st.button(
            "Change", key=f"change member {account.id}", on_click=on_change, args=(account.id,)
        )


def _presence(member: Member, zone: str) -> str:
    """Where they are signed in and how they get in: two lines of HTML."""
    seen = f"last seen {day_and_time_of(member.seen_at, zone)}" if member.seen_at else ""
    ways = ways_in_words(member)
    if not ways:
        return f"<p>{escape(_waiting(member, zone))}</p>"
    count = plural(len(member.sessions), "browser")
    state = f"Signed in on {count}" if member.sessions else "Not signed in"
    return f"<p>{escape(', '.join(filter(None, (state, seen))))}</p><p>{escape(ways)}</p>"


def _waiting(member: Member, zone: str) -> str:
    state = NEW_PASSWORD if member.seen_at else NOT_YET
    if member.link_until:
        return f"{state} The link works until {day_and_time_of(member.link_until, zone)}."
    return state if is_known_elsewhere() else f"{state} {NO_LINK}"
