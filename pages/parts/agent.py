"""The agent of this browser, known by a cookie that the chat's component sets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from core.agents import LONGEST_NAME, AgentError, add_agent, change_agent, find_agent
from core.deadline import DatabaseUnavailable, database_url, read, write
from core.moment import utc_now
from core.tables import Agent
from pages.parts.notices import draw_fault
from pages.parts.snapshots import TICK
from pages.parts.texts import notice
from pages.server.access import COOKIE

NAME_HELP = "Visitors see this name beside your messages."

_KEY = "agent_key"
_LAST = "agent_last_seen"


@dataclass(frozen=True)
class AgentSnapshot:
    """The agent of this browser, if one is known; `fault` says why it is out of date.

    Without an agent and without a fault, no name was given yet.
    """

    agent: Agent | None
    fault: str = ""


def current_agent() -> AgentSnapshot:
    """The agent of this browser as stored at most TICK ago.

    While the database does not answer it is the one that this session has read last, with the fault.
    """
    keys = dict.fromkeys((st.session_state.get(_KEY), st.context.cookies.get(COOKIE)))
    for key in filter(None, keys):
        found = _look_up(key)
        if found.fault:
            last: Agent | None = st.session_state.get(_LAST)
            return AgentSnapshot(last if last and last.key == key else None, found.fault)
        if found.agent is not None:
            st.session_state[_LAST] = found.agent
            return found
    return AgentSnapshot(None)


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


def set_current_agent(key: str) -> bool:
    """Make the agent with this key the current one; False when there is no such agent.

    While the database does not answer the key is taken: who has it shows when it is back.
    """
    if _look_up(key) == AgentSnapshot(None):
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


def _look_up(key: str) -> AgentSnapshot:
    try:
        return AgentSnapshot(*_agent(database_url(), key, _tick(utc_now())))
    except DatabaseUnavailable as error:
        return AgentSnapshot(None, str(error))


# As in snapshots.py, a failure is cached too.
@st.cache_data(ttl=TICK * 2, max_entries=200, show_spinner=False)
def _agent(url: str, key: str, tick: int) -> tuple[Agent | None, str]:
    try:
        return read(lambda db: find_agent(db, key)), ""
    except DatabaseUnavailable as error:
        return None, str(error)


def _tick(now: datetime) -> int:
    return int(now.timestamp() // TICK.total_seconds())
