"""Your account: the name, the password and the browsers of whoever looks."""

from __future__ import annotations

from collections import Counter
from html import escape
from pathlib import Path

import streamlit as st

from core.accounts.accounts import change_password, set_account
from core.accounts.identity import Identity, Role
from core.accounts.passwords import LONGEST_PASSWORD, is_password
from core.accounts.sessions import end_session, end_sessions
from core.accounts.team import Member, read_team
from core.agents import LONGEST_NAME
from core.database import Connection
from core.deadline import DatabaseUnavailable
from core.moment import utc_now
from core.sites import list_sites
from core.tables import Session, Site
from pages.accounts.account_change import change_accounts, hashed_password
from pages.accounts.account_words import (
    ROLE_NAMES,
    role_in_words,
    sites_in_words,
    ways_in_words,
)
from pages.accounts.first_account import draw_new_password
from pages.accounts.session_list import draw_sessions
from pages.parts.facts import draw_facts
from pages.parts.notices import draw_unavailable
from pages.parts.own_link import HELP, draw_own_link
from pages.parts.sign_out import draw_sign_out
from pages.parts.texts import heading, notice, small_text, subheading
from pages.parts.title import draw_title
from pages.parts.viewer import NotAllowed, read_as, viewer

_LOOK = Path(__file__).with_name("accounts.css")
_SAVED = "own account saved"
TITLE = "Your account"
NO_SIGN_IN = "Nobody has to sign in here, so nobody has an account."
NO_PASSWORD = "You sign in elsewhere: this account has no password here. An admin can make a link with which you set one."
RULES = "A new password signs your other browsers out."
WRONG = "The password that you have now is another one: write it as you do to sign in."

MOST_GUESSES = 10
"""Wrong passwords, after which this browser is signed out: whoever found it open guesses no further."""

_guesses: Counter[str] = Counter()
"""By the session's id, so that it counts whichever page of the browser guesses."""


def draw_own_account() -> None:
    """Draw the account, or why there is none."""
    try:
        identity = viewer()
        team, sites = read_as(Role.VIEWER, lambda db: (read_team(db, utc_now()), list_sites(db)))
    except DatabaseUnavailable as error:
        draw_unavailable(str(error), TITLE)
        return
    except NotAllowed as error:
        _draw_refusal(str(error))
        return
    member = team.find(identity.agent_id)
    if member is None:
        _draw_refusal(NO_SIGN_IN)
        return
    draw_title(TITLE)
    st.html(_LOOK)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        heading(TITLE, above=member.account.agent.email)
        draw_sign_out("own account")
    saved = st.session_state.pop(_SAVED, "")
    if saved:
        notice(saved, title="Saved.", kind="good")
    _draw(member, sites, identity)


def _draw_refusal(text: str) -> None:
    draw_title(TITLE)
    heading(TITLE)
    notice(text)


def _draw(member: Member, sites: list[Site], identity: Identity) -> None:
    account = member.account
    left, right = st.columns(2)
    with left:
        facts = [
            ("Role", f"{ROLE_NAMES[account.role]}. {role_in_words(account.role)}"),
            ("Sites", sites_in_words(account, sites)),
            ("Signs in by", ways_in_words(member)),
        ]
        draw_facts("What you may do", facts)
        with st.container(border=True):
            subheading("Name")
            _draw_name(member)
    with right, st.container(border=True):
        subheading("Password")
        _draw_password(member, identity)
    with st.container(border=True):
        subheading("Your own visits")
        _draw_own_links(sites, identity)
    with st.container(border=True):
        subheading("Where you are signed in")
        _draw_browsers(member, identity)


def _draw_name(member: Member) -> None:
    agent_id = member.account.id
    with st.form("own name", border=False):
        name = st.text_input(
            "Name",
            member.account.agent.name,
            max_chars=LONGEST_NAME,
            help="Visitors see it beside your messages.",
        )
        is_sent = st.form_submit_button("Save name")
    if is_sent and change_accounts(lambda db: set_account(db, agent_id, name=name), is_own=True):
        _say("Your name is changed.")


def _draw_password(member: Member, identity: Identity) -> None:
    if not member.account.agent.password:
        small_text(NO_PASSWORD)
        return
    with st.form("own password", border=False, clear_on_submit=True):
        small_text(RULES)
        old = st.text_input(
            "Password now",
            type="password",
            max_chars=LONGEST_PASSWORD,
            autocomplete="current-password",
        )
        new = draw_new_password("New password")
        again = draw_new_password("New password again")
        is_sent = st.form_submit_button("Change password")
    if is_sent:
        _change_password(member, identity, old, new, again)


def _change_password(member: Member, identity: Identity, old: str, new: str, again: str) -> None:
    agent = member.account.agent
    _guesses[identity.session_id] += 1  # before it is checked: others may guess at the same time
    if not is_password(agent.password, old):
        _refuse_guess(identity)
        return
    _guesses.pop(identity.session_id, None)
    hashed = hashed_password(new, again, agent.name, agent.email)

    def change(db: Connection) -> bool:
        own = identity.session_id
        change_password(db, member.account.id, agent.password, hashed, keep_session=own)
        return True

    if hashed and change_accounts(change, is_own=True):
        _say("Your password is changed, and your other browsers are signed out.")


def _refuse_guess(identity: Identity) -> None:
    if _guesses[identity.session_id] < MOST_GUESSES:
        notice(WRONG, title="Not saved.", kind="bad")
        return
    del _guesses[identity.session_id]
    change_accounts(lambda db: end_session(db, identity.session_id), is_own=True)
    st.rerun()


def _draw_own_links(sites: list[Site], identity: Identity) -> None:
    small_text(HELP)
    for site in identity.seen_of(sites):
        st.html(f'<h3 class="facts-title">{escape(site.name)}</h3>')
        draw_own_link(site)


def _draw_browsers(member: Member, identity: Identity) -> None:
    def end(session: Session) -> None:
        change_accounts(lambda db: end_session(db, session.id), is_own=True)
        st.rerun()

    draw_sessions(member.sessions, end, own_id=identity.session_id)
    if len(member.sessions) > 1 and st.button("Sign out all other browsers"):
        change_accounts(
            lambda db: end_sessions(db, member.account.id, but=identity.session_id),
            is_own=True,
        )
        _say("Your other browsers are signed out.")


def _say(text: str) -> None:
    st.session_state[_SAVED] = text
    st.rerun()
