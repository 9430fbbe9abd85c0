"""The dialog that makes an account for a colleague, and shows the link by which they come in."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.accounts.accounts import AccountError, add_account, limit_account, set_account
from core.accounts.identity import Role
from core.accounts.links import LINK_LASTS, make_link
from core.agents import LONGEST_NAME
from core.database import Connection
from core.moment import utc_now
from core.tables import Agent, Site
from pages.accounts.account_change import change_accounts
from pages.accounts.role_choice import NO_SITE, choose_role, choose_sites
from pages.accounts.sign_in_link import ShownLink, draw_link, link_address
from pages.parts.open_dialog import close_dialog, open_dialog, open_dialog_about
from pages.parts.texts import small_text

_INVITING = "inviting a colleague"
"""The dialog; it is about the agent who becomes an account, 0 for somebody new, and then about the link."""


def draw_invite_button() -> None:
    """Draw the button that opens the dialog."""
    st.button(
        "Invite a colleague",
        icon=":material/person_add:",
        type="primary",
        key="invite colleague",
        on_click=open_dialog,
        args=(_INVITING, 0),
    )


def draw_agents_without_account(agents: Sequence[Agent]) -> None:
    """Draw a line for each, with a button that opens the dialog for them."""
    for agent in agents:
        with st.container(
            horizontal=True, vertical_alignment="center", key=f"agent without account {agent.id}"
        ):
            with st.container(gap=None):
                small_text(agent.name)
            st.button(
                "Make an account",
                key=f"make account {agent.id}",
                on_click=open_dialog,
                args=(_INVITING, agent.id),
            )


def draw_invite_dialog(sites: Sequence[Site], agents: Sequence[Agent]) -> None:
    """Draw the dialog while it is open."""
    about = open_dialog_about(_INVITING)
    if about is not None:
        agent = next((agent for agent in agents if agent.id == about), None)
        _draw(about, sites, agent)


def _close() -> None:
    close_dialog(_INVITING)


@st.dialog("Invite a colleague", width="medium", on_dismiss=_close)
def _draw(about: int | ShownLink, sites: Sequence[Site], agent: Agent | None) -> None:
    if not isinstance(about, ShownLink):
        _draw_form(sites, agent)
        return
    draw_link(about)
    if st.button("Done", type="primary", key="invited"):
        _close()
        st.rerun()


def _draw_form(sites: Sequence[Site], agent: Agent | None) -> None:
    key = str(agent.id if agent else 0)
    if agent:
        small_text("Their chats stay theirs.")
    name = st.text_input(
        "Name",
        agent.name if agent else "",
        max_chars=LONGEST_NAME,
        help="Visitors see it beside the messages.",
        key=f"new account name {key}",
    )
    email = st.text_input(
        "E-mail address",
        placeholder="ann@shop.example",
        help="It is what they sign in with. Nothing is sent to it.",
        key=f"new account email {key}",
    )
    role = choose_role(Role.AGENT, f"new account {key}")
    site_ids = choose_sites(sites, None, f"new account {key}") if sites else None
    if st.button("Make the account and its link", type="primary", key=f"new account {key}"):
        _invite(agent, name, email, role, site_ids)


def _invite(
    agent: Agent | None, name: str, email: str, role: Role, site_ids: frozenset[int] | None
) -> None:
    now = utc_now()

    def invite(db: Connection) -> str:
        if site_ids is not None and not site_ids:
            raise AccountError(NO_SITE)
        if agent and agent.id:
            account = set_account(db, agent.id, name=name, email=email, role=role)
        else:
            account = add_account(db, name, email, role, now)
        limit_account(db, account.id, site_ids)
        return make_link(db, account.id, now)

    secret = change_accounts(invite, title="Not invited.")
    if secret:
        open_dialog(_INVITING, ShownLink(name.strip(), link_address(secret), now + LINK_LASTS))
        st.rerun()
