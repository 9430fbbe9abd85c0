"""Accounts: who can sign in, and what each may do."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.accounts.identity import Identity
from core.accounts.team import Team, read_team
from core.deadline import DatabaseUnavailable
from core.moment import utc_now
from core.sites import list_sites
from core.tables import Site
from pages.accounts.first_account import draw_first_account
from pages.accounts.invite_colleague import (
    draw_agents_without_account,
    draw_invite_button,
    draw_invite_dialog,
)
from pages.accounts.member_dialog import draw_member_dialog, open_member
from pages.accounts.member_list import draw_members
from pages.parts.notices import draw_unavailable
from pages.parts.texts import heading, notice, plural, small_text, subheading
from pages.parts.time_zone import own_time_zone
from pages.parts.title import draw_title
from pages.parts.viewer import NotAllowed, read_for_all_sites, viewer

_LOOK = Path(__file__).with_name("accounts.css")
NO_ACCOUNT = (
    "Whoever your sign-in service sends, and the settings allow, gets an account at their first visit. "
    "Invite those who are to have another role."
)
WITHOUT = "They gave their name when nobody had to sign in. Made an account, they keep their chats."


def draw_page() -> None:
    """Draw the accounts, or what making the first one means."""
    try:
        identity = viewer()
        team, sites = read_for_all_sites(lambda db: (read_team(db, utc_now()), list_sites(db)))
    except DatabaseUnavailable as error:
        draw_unavailable(str(error), "Accounts")
        return
    except NotAllowed as error:
        draw_title("Accounts")
        heading("Accounts")
        notice(str(error), kind="bad")
        return
    draw_title("Accounts")
    st.html(_LOOK)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        heading("Accounts", above=plural(len(team.members), "account") if team.members else "")
        if identity.is_signed_in:
            draw_invite_button()
    if identity.is_signed_in:
        _draw_team(team, sites, identity)
    else:
        draw_first_account()


def _draw_team(team: Team, sites: list[Site], identity: Identity) -> None:
    zone = own_time_zone()
    if not team.members:
        notice(NO_ACCOUNT, title="There is no account yet.")
    draw_members(team.members, sites, identity.agent_id, zone, open_member)
    small_text(f"Times are in {zone}.")
    if team.others:
        with st.container(border=True):
            subheading("Agents without an account")
            small_text(WITHOUT)
            draw_agents_without_account(team.others)
    draw_invite_dialog(sites, team.others)
    draw_member_dialog(team.members, sites, identity)


draw_page()
