"""The agent who uses the page: the account that is signed in; where nobody has to sign in, the one of this
browser, known by a cookie that the chat's component sets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from core.accounts.accounts import find_account
from core.accounts.identity import Role
from core.agents import (
    LONGEST_NAME,
    AgentError,
    add_agent,
    change_agent,
    find_agent,
    new_secret,
)
from core.database import Connection
from core.deadline import DatabaseUnavailable, database_url
from core.moment import utc_now
from core.random_id import digest
from core.tables import Agent
from pages.parts.notices import draw_fault
from pages.parts.snapshots import TICK
from pages.parts.texts import notice
from pages.parts.viewer import (
    REFUSALS,
    NotAllowed,
    read_as,
    viewer,
    viewer_of_run,
    write_as,
    write_as_agent,
)
from pages.server.access import COOKIE

NAME_HELP = "Visitors see this name beside your messages."
ACCOUNTS_ONLY = "Agents are accounts here: an admin adds them."

_SECRET = "agent_secret"
_LAST = "agent_last_seen"


@dataclass(frozen=True)
class AgentSnapshot:
    """The agent who uses the page, if one is known; `fault` says why it is out of date.

    Without an agent and without a fault, no name was given yet. is_account: they are signed in.
    """

    agent: Agent | None
    fault: str = ""
    is_account: bool = False


def current_agent() -> AgentSnapshot:
    """The agent of this page as stored at most TICK ago.

    While the database does not answer it is the one that this session has read last, with the fault.
    """
    try:
        identity = viewer_of_run()
    except DatabaseUnavailable as error:
        return AgentSnapshot(None, str(error))
    if identity.is_signed_in:
        found = _look_up(identity.agent_id)
        return AgentSnapshot(found.agent, found.fault, is_account=True)
    for secret in _secrets():
        found = _look_up(secret)
        if found.fault or found.agent is not None:
            return found
    return AgentSnapshot(None)


def own_secret(agent: Agent) -> str:
    """The secret that makes this browser the agent's; "" for an account, which has a session instead."""
    if agent.role:
        return ""
    return next((secret for secret in _secrets() if digest(secret) == agent.key), "")


def draw_name_form(key: str = "naming", why: str = NAME_HELP) -> Agent | None:
    """The agent; before there is one, draw a form for the name and return None.

    Once the name is given the form is removed, and the same run goes on with the agent. Each place
    on a page has its own `key`. While the database cannot say who has this browser, nobody is asked.
    """
    known = current_agent()
    if known.agent is not None:
        return known.agent
    if known.fault:
        draw_fault(known.fault)
        return None
    place = st.empty()
    with place.form(f"{key} form", border=False):
        name = st.text_input("Your name", max_chars=LONGEST_NAME, help=why, key=f"{key} name")
        is_given = st.form_submit_button("Save name", type="primary")
    if not is_given:
        return None
    agent = _add(name)
    if agent is not None:
        place.empty()
    return agent


def set_current_agent(secret: str) -> bool:
    """Make the agent with this secret the current one; False when there is no such agent, or they sign in.

    While the database does not answer the secret is taken: whose it is shows when it is back.
    """
    if current_agent().is_account or _look_up(secret) == AgentSnapshot(None):
        return False
    st.session_state[_SECRET] = secret
    return True


def is_current_here(secret: str) -> bool:
    """Whether the agent with this secret was made the current one in this session."""
    return st.session_state.get(_SECRET) == secret


def rename(agent: Agent, name: str) -> bool:
    """Give the agent another name; False, with a notice that says why, when it is refused."""
    return _change(agent, name=name)


def set_available(agent: Agent, is_available: bool) -> bool:
    """Make the agent Available or Away; the result is that of `rename`."""
    return _change(agent, is_available=is_available)


def _secrets() -> list[str]:
    """What may make this browser an agent's: the one of this session first, its cookie comes later."""
    secrets = (st.session_state.get(_SECRET), st.context.cookies.get(COOKIE))
    return list(filter(None, dict.fromkeys(secrets)))


def _add(name: str) -> Agent | None:
    secret = new_secret()
    try:
        if viewer().is_signed_in:
            raise NotAllowed(ACCOUNTS_ONLY)
        agent = write_as(Role.AGENT, lambda db: add_agent(db, name, utc_now(), secret))
    except (AgentError, *REFUSALS) as error:
        notice(str(error), kind="bad")
        return None
    _agent.clear()
    st.session_state[_SECRET] = secret
    st.session_state[_LAST] = (secret, agent)
    return agent


def _change(agent: Agent, *, name: str | None = None, is_available: bool | None = None) -> bool:
    assert agent.id is not None
    agent_id = agent.id
    try:
        write_as_agent(
            agent, lambda db: change_agent(db, agent_id, name=name, is_available=is_available)
        )
    except (AgentError, *REFUSALS) as error:
        notice(str(error), kind="bad")
        return False
    _agent.clear()
    return True


def _look_up(who: str | int) -> AgentSnapshot:
    """The agent with this secret, or the account with this id."""
    try:
        found = AgentSnapshot(*_agent(database_url(), who, _tick(utc_now())))
    except NotAllowed:
        st.rerun()  # signed out since this run began: the whole page says so
    except DatabaseUnavailable as error:
        found = AgentSnapshot(None, str(error))
    if found.fault:
        last_who, last = st.session_state.get(_LAST, (None, None))
        return AgentSnapshot(last if last_who == who else None, found.fault)
    if found.agent is not None:
        st.session_state[_LAST] = (who, found.agent)
    return found


# As in snapshots.py, a failure is cached too.
@st.cache_data(ttl=TICK * 2, max_entries=200, show_spinner=False)
def _agent(url: str, who: str | int, tick: int) -> tuple[Agent | None, str]:
    try:
        return read_as(Role.VIEWER, lambda db: _find(db, who)), ""
    except DatabaseUnavailable as error:
        return None, str(error)


def _find(db: Connection, who: str | int) -> Agent | None:
    if isinstance(who, str):
        return find_agent(db, who)
    account = find_account(db, who)
    return account and account.agent


def _tick(now: datetime) -> int:
    return int(now.timestamp() // TICK.total_seconds())
