"""While nobody has to sign in: what the first account changes, and the form that makes it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from core.accounts.accounts import (
    LONGEST_EMAIL,
    Account,
    AccountError,
    add_account,
    count_accounts,
    set_account,
    set_password,
)
from core.accounts.identity import Role
from core.accounts.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD
from core.agents import LONGEST_NAME
from core.database import Connection
from core.locks import lock_accounts
from core.moment import utc_now
from core.tables import Agent
from pages.accounts.account_change import change_accounts, hashed_password
from pages.parts.agent import current_agent
from pages.parts.script import component
from pages.parts.texts import notice, small_text, subheading
from pages.server.base_path import below_base

COMMAND = "python -m core agent add NAME --email ADDRESS --role admin"
MEANING = (
    "Whoever uses this machine may see and do everything, and no other machine gets in. With the first "
    "account that ends: within 5 seconds everybody has to sign in, on this machine too, and the dashboard "
    "answers other machines."
)
TAKEN = "Somebody has made the first account a moment ago: reload the page to sign in."

_SIGN_IN = "sign in once there is an account"


def draw_first_account() -> None:
    """Draw what it means and the form; once it is made, the browser goes on to the sign-in page."""
    notice(MEANING, title="Nobody has to sign in yet.")
    left, right = st.columns([3, 2])
    with left.container(border=True):
        subheading("Make the first account: yours")
        is_made = st.session_state.get(_SIGN_IN, False) or _draw_form(current_agent().agent)
    with right.container(border=True):
        subheading("Or by the command line")
        small_text("On the machine that the dashboard runs on, in its folder:")
        st.code(COMMAND, language=None, wrap_lines=True)
        small_text("It asks for the password, and adds further accounts as well.")
    _load(data={"address": _sign_in_address() if is_made else ""}, key="load sign-in")


def _sign_in_address() -> str:
    """The sign-in page, which leads back here."""
    return f"{below_base('/sign-in')}?{urlencode({'next': below_base('/accounts')})}"


def _draw_form(agent: Agent | None) -> bool:
    """Whether the account was made."""
    with st.form("first account", border=False):
        small_text("You become an admin, who may do everything, and invites the others.")
        name = st.text_input(
            "Your name",
            agent.name if agent else "",
            max_chars=LONGEST_NAME,
            help="Visitors see it beside your messages.",
            autocomplete="name",
        )
        email = st.text_input(
            "Your e-mail address",
            max_chars=LONGEST_EMAIL,
            placeholder="ann@shop.example",
            help="It is what you sign in with. Nothing is sent to it.",
            autocomplete="username",
        )
        password = draw_new_password("Password")
        again = draw_new_password("Password again")
        is_sent = st.form_submit_button("Make the account", type="primary")
    return is_sent and _make(agent, name, email, password, again) is not None


def draw_new_password(label: str) -> str:
    """Draw the field for a new password; what is in it."""
    return st.text_input(
        label,
        type="password",
        max_chars=LONGEST_PASSWORD,
        help=f"{SHORTEST_PASSWORD} characters or more, and none of the commonest passwords.",
        autocomplete="new-password",
    )


def _make(agent: Agent | None, name: str, email: str, password: str, again: str) -> Account | None:
    hashed = hashed_password(password, again, name, email)
    if not hashed:
        return None

    def make(db: Connection) -> Account:
        lock_accounts(db)
        if count_accounts(db):
            raise AccountError(TAKEN)
        if agent and agent.id:
            account = set_account(db, agent.id, name=name, email=email, role=Role.ADMIN)
        else:
            account = add_account(db, name, email, Role.ADMIN, utc_now())
        set_password(db, account.id, hashed)
        return account

    made = change_accounts(make)
    st.session_state[_SIGN_IN] = made is not None
    return made


_load = component("visitor_monitor_load", Path(__file__).with_name("load.js"))
