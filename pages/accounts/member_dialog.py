"""The dialog of one account: what it may do, its browsers, a new link, and its end."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.accounts.accounts import (
    LONGEST_EMAIL,
    Account,
    AccountError,
    limit_account,
    remove_account,
    set_account,
    set_password,
)
from core.accounts.identity import Identity, Role
from core.accounts.links import LINK_LASTS, make_link
from core.accounts.sessions import end_session, end_sessions
from core.accounts.team import Member
from core.agents import LONGEST_NAME
from core.database import Connection
from core.moment import utc_now
from core.tables import Session, Site
from pages.accounts.account_change import change_accounts
from pages.accounts.role_choice import NO_SITE, choose_role, choose_sites
from pages.accounts.session_list import draw_sessions
from pages.accounts.sign_in_link import ShownLink, draw_link, link_address
from pages.parts.open_dialog import close_dialog, open_dialog, open_dialog_about
from pages.parts.texts import notice, small_text

_CHANGING = "changing an account"
"""The dialog; it is about the agent's id, and then perhaps about the new link."""

_PARTS = ("Role and sites", "Browsers", "Password", "Remove")
LOSES = "You cannot open this page any more then: only admins of every site do. Another one has to undo it."
REMOVES_SELF = "This is your own account: you are signed out at once, and cannot sign in again."
REMOVES = (
    "They are signed out within 5 seconds and cannot sign in again. Their name stays beside what they "
    "wrote in chats."
)
RESETS = (
    "Their password works no more and their browsers are signed out, within 5 seconds. The link lets them "
    "set a new one."
)


def open_member(agent_id: int) -> None:
    """Open the dialog of this agent's account, from the next run on."""
    open_dialog(_CHANGING, agent_id)


def draw_member_dialog(
    members: Sequence[Member], sites: Sequence[Site], identity: Identity
) -> None:
    """Draw the dialog while it is open."""
    about = open_dialog_about(_CHANGING)
    member = next((each for each in members if each.account.id == about), None)
    if isinstance(about, ShownLink):
        _draw_link(about)
    elif member is not None:
        _draw(member, sites, identity)


def _close() -> None:
    close_dialog(_CHANGING)


def _leave() -> None:
    _close()
    st.rerun()


@st.dialog("New link", width="medium", on_dismiss=_close)
def _draw_link(link: ShownLink) -> None:
    draw_link(link)
    if st.button("Done", type="primary", key="link shown"):
        _leave()


@st.dialog("Change account", width="medium", on_dismiss=_close)
def _draw(member: Member, sites: Sequence[Site], identity: Identity) -> None:
    account = member.account
    is_own = account.id == identity.agent_id
    small_text(f"{account.agent.name} · {account.agent.email}")
    settings, browsers, password, removal = st.tabs(_PARTS, key=f"parts of {account.id}")
    with settings:
        _draw_settings(account, sites, is_own=is_own)
    with browsers:
        _draw_browsers(member, identity)
    with password:
        _draw_reset(member, is_own=is_own)
    with removal:
        _draw_removal(account, is_own=is_own)


def _draw_settings(account: Account, sites: Sequence[Site], *, is_own: bool) -> None:
    key = str(account.id)
    name = st.text_input(
        "Name", account.agent.name, max_chars=LONGEST_NAME, key=f"account name {key}"
    )
    email = st.text_input(
        "E-mail address", account.agent.email, max_chars=LONGEST_EMAIL, key=f"account email {key}"
    )
    role = choose_role(account.role, f"of account {key}")
    site_ids = choose_sites(sites, account.site_ids, f"of account {key}")
    if is_own and (role < Role.ADMIN or site_ids is not None):
        notice(LOSES, title="This is your own account.", kind="warn")
    if st.button("Save", type="primary", key=f"save account {key}"):
        _save(account, name, email, role, site_ids)


def _save(
    account: Account, name: str, email: str, role: Role, site_ids: frozenset[int] | None
) -> None:
    def save(db: Connection) -> Account:
        if site_ids is not None and not site_ids and account.site_ids != site_ids:
            raise AccountError(NO_SITE)
        set_account(db, account.id, name=name, email=email, role=role)
        return limit_account(db, account.id, site_ids)

    if change_accounts(save):
        _leave()


def _draw_browsers(member: Member, identity: Identity) -> None:
    def end(session: Session) -> None:
        change_accounts(lambda db: end_session(db, session.id))
        st.rerun()

    draw_sessions(member.sessions, end, own_id=identity.session_id)
    others = [each for each in member.sessions if each.id != identity.session_id]
    if len(others) > 1 and st.button("Sign out everywhere", key="end sessions"):
        change_accounts(lambda db: end_sessions(db, member.account.id, but=identity.session_id))
        st.rerun()


def _draw_reset(member: Member, *, is_own: bool) -> None:
    account = member.account
    if is_own:
        small_text("Change your own password under Your account.")
        return
    has_signed_in = bool(member.ways)
    small_text(RESETS if has_signed_in else "An earlier link works no more.")
    label = "Reset the password, and make a link" if has_signed_in else "Make a new link"
    if not st.button(label, key=f"reset {account.id}"):
        return
    now = utc_now()

    def reset(db: Connection) -> str:
        set_password(db, account.id, "")
        return make_link(db, account.id, now)

    secret = change_accounts(reset, title="No link was made.")
    if secret:
        link = ShownLink(account.agent.name, link_address(secret), now + LINK_LASTS)
        open_dialog(_CHANGING, link)
        st.rerun()


def _draw_removal(account: Account, *, is_own: bool) -> None:
    if is_own:
        notice(REMOVES_SELF, kind="warn")
    else:
        small_text(REMOVES)
    name = account.agent.name
    is_meant = st.toggle("I want to remove this account", key=f"remove meant {account.id}")
    is_pressed = st.button(
        "Remove the account",
        type="primary",
        disabled=not is_meant,
        key=f"remove {account.id}",
    )
    if is_pressed and change_accounts(
        lambda db: remove_account(db, account.id), title=f"{name} is not removed."
    ):
        _leave()
