"""Who uses the page, in the sidebar of every page: the name, Available or Away, and what waits."""

from __future__ import annotations

from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import streamlit as st

from core.accounts.identity import Role
from core.agents import LONGEST_NAME
from core.tables import Agent
from pages.parts.agent import (
    NAME_HELP,
    AgentSnapshot,
    current_agent,
    draw_name_form,
    is_current_here,
    rename,
    set_available,
    set_current_agent,
)
from pages.parts.agent_notices import draw_own_notices, own_notices
from pages.parts.chat.component import draw_alerts
from pages.parts.notices import draw_retry
from pages.parts.viewer import REFUSALS, may

AVAILABLE_HELP = (
    "While somebody is Available, with a page of this dashboard open, visitors can begin a chat and "
    "rules invite them. Else they can only leave a message. Away, you can still invite and answer."
)
LOOK = Path(__file__).with_name("agent_box.css")
OFFER = "Give your name to chat with visitors."
OWN_ACCOUNT = "accounts/own_page.py"
NO_ALERTS = SimpleNamespace(known="", opened="")
AWAY = "No answer from the database: your name is shown again when it is back."


def draw_agent_box() -> None:
    """Draw the box below the navigation; a fragment, so that the page is not drawn again with it."""
    st.html(LOOK)
    with st.sidebar:
        st.fragment(_draw_box)()


def _draw_box() -> None:
    known = current_agent()
    with st.container(key="agent_box", gap="small"):
        alerts = _draw_alerts(known)
        if alerts.known and not is_current_here(alerts.known) and set_current_agent(alerts.known):
            st.rerun()
        if alerts.opened:
            _open_chats(str(alerts.opened))
        if known.agent is not None:
            _draw_agent(known.agent, is_account=known.is_account)
        elif known.fault:
            _draw_line(AWAY)
            draw_retry()
        else:
            _draw_offer()


def _open_chats(opened: str) -> None:
    """Show Chats with the conversation that comes first; opened: an id, the site's key, the conversation's id."""
    _, site, conversation = opened.split(" ") if opened.count(" ") == 2 else ("", "", "")
    chosen = {"site": site, "conversation": conversation} if conversation else None
    st.switch_page("chats/page.py", query_params=chosen)


def _draw_alerts(known: AgentSnapshot) -> Any:
    """Nothing waits for who may not chat."""
    try:
        agent = known.agent if may(Role.AGENT) else None
        return draw_alerts(agent, own_notices(agent) if agent else None)
    except REFUSALS:
        return NO_ALERTS


def _draw_line(text: str) -> None:
    st.html(f'<p class="agent-offer">{escape(text)}</p>')


def _draw_offer() -> None:
    _draw_line(OFFER)
    with st.popover("Set your name", icon=":material/badge:", width="stretch", key="agent_naming"):
        agent = draw_name_form("sidebar naming")
    if agent is not None:
        st.rerun()


def _draw_agent(agent: Agent, *, is_account: bool) -> None:
    chats = may(Role.AGENT)
    state = "" if not chats else "available" if agent.is_available else "away"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<p class="agent-name {state}"><span>{escape(agent.name)}</span></p>',
            width="stretch",
        )
        if not is_account:
            with st.popover("Rename", type="tertiary", key="agent_renaming"):
                _draw_renaming(agent)
    if chats:
        _draw_switch(agent)
        draw_own_notices(agent)
    if is_account:
        st.page_link(OWN_ACCOUNT, label="Your account", icon=":material/account_circle:")


def _draw_switch(agent: Agent) -> None:
    # The stored state counts: another tab may have changed it.
    st.session_state["agent_available"] = agent.is_available
    st.toggle(
        "Available",
        key="agent_available",
        help=AVAILABLE_HELP,
        on_change=_switch,
        args=(agent,),
    )


def _draw_renaming(agent: Agent) -> None:
    with st.form("renaming", border=False):
        name = st.text_input(
            "Your name", agent.name, max_chars=LONGEST_NAME, help=NAME_HELP, key="agent_new_name"
        )
        is_given = st.form_submit_button("Save name", type="primary")
    if is_given and rename(agent, name):
        st.rerun()


def _switch(agent: Agent) -> None:
    set_available(agent, bool(st.session_state["agent_available"]))
