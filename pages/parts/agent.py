"""The agent of this browser, known by a cookie that the chat's component sets."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.agents import LONGEST_NAME, AgentError, add_agent, change_agent, find_agent
from core.deadline import DatabaseUnavailable, database_url, read, write
from core.moment import utc_now
from core.tables import Agent
from pages.parts.snapshots import TICK
from pages.parts.texts import notice
from pages.server.access import COOKIE

NAME_HELP = "Visitors see this name beside your messages."

_KEY = "agent_key"
_LAST = "agent_last_seen"


def current_agent() -> Agent | None:
    """The agent of this browser as stored at most TICK ago; None until a name was given.

    While the database does not answer it is the agent that was read last.
    """
    keys = dict.fromkeys((st.session_state.get(_KEY), st.context.cookies.get(COOKIE)))
    for key in filter(None, keys):
        agent, is_sure = _look_up(key)
        if not is_sure:
            return st.session_state.get(_LAST)
        if agent is not None:
            st.session_state[_LAST] = agent
            return agent
    return None


def draw_name_form(key: str = "naming", why: str = NAME_HELP) -> Agent | None:
    """The agent; before there is one, draw a form for the name and return None.

    Once the name is given the form is removed, and the same run goes on with the agent. Each place
    on a page has its own `key`.
    """
    agent = current_agent()
    if agent is not None:
        return agent
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


def set_current_agent(key: str) -> bool:
    """Make the agent with this key the current one; False when there is no such agent."""
    agent, _ = _look_up(key)
    if agent is None:
        return False
    st.session_state[_KEY] = key
    return True


def is_current_here(key: str) -> bool:
    """Whether the agent with this key was made the current one in this session."""
    return st.session_state.get(_KEY) == key


def rename(agent: Agent, name: str) -> bool:
    """Give the agent another name; False, with a notice that says why, when it is refused."""
    return _change(agent, name=name)


def set_available(agent: Agent, is_available: bool) -> bool:
    """Make the agent Available or Away; the result is that of `rename`."""
    return _change(agent, is_available=is_available)


def _add(name: str) -> Agent | None:
    try:
        agent = write(lambda db: add_agent(db, name, utc_now()))
    except (AgentError, DatabaseUnavailable) as error:
        notice(str(error), kind="bad")
        return None
    _agent.clear()
    st.session_state[_KEY] = agent.key
    st.session_state[_LAST] = agent
    return agent


def _change(agent: Agent, *, name: str | None = None, is_available: bool | None = None) -> bool:
    assert agent.id is not None
    agent_id = agent.id
    try:
        write(lambda db: change_agent(db, agent_id, name=name, is_available=is_available))
    except (AgentError, DatabaseUnavailable) as error:
        notice(str(error), kind="bad")
        return False
    _agent.clear()
    return True


def _look_up(key: str) -> tuple[Agent | None, bool]:
    """The agent, and whether the database has answered."""
    try:
        return _agent(database_url(), key, _tick(utc_now()))
    except DatabaseUnavailable:
        return None, False


# As in snapshots.py, a failure is cached too.
@st.cache_data(ttl=TICK * 2, max_entries=200, show_spinner=False)
def _agent(url: str, key: str, tick: int) -> tuple[Agent | None, bool]:
    try:
        return read(lambda db: find_agent(db, key)), True
    except DatabaseUnavailable:
        return None, False


def _tick(now: datetime) -> int:
    return int(now.timestamp() // TICK.total_seconds())
