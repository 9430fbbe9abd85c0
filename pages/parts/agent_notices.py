"""What the agent hears of in the browser: a box in the sidebar, with what is on."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import streamlit as st

from core.accounts.identity import Role
from core.moment import utc_now
from core.notices.agent_choice import choose_notices, notices_of_agent
from core.notices.kinds import FEWEST_MINUTES, KIND_NAMES, MOST_MINUTES, NoticeError, NoticeKind
from core.tables import Agent, AgentNotices
from pages.parts.notices import refusal_title
from pages.parts.texts import notice, small_text
from pages.parts.time_zone import own_time_zone
from pages.parts.viewer import REFUSALS, read_as, write_as_agent

HELP = (
    "By the browser's own notification, and by a sound where Sound is on under Chats: while a page of this dashboard "
    "is open in any tab, also a hidden one. Of the sites that you see."
)
QUIET_HELP = "From one until the other you hear nothing. The same time twice: no quiet hours."
KEPT_FOR = timedelta(minutes=1)
"""What was chosen in another browser is known here after that."""

_KEPT = "own notices"


def own_notices(agent: Agent) -> AgentNotices | None:
    """What the agent has chosen; None while that is not known."""
    kept: tuple[int | None, datetime, AgentNotices] | None = st.session_state.get(_KEPT)
    now = utc_now()
    if kept and kept[0] == agent.id and now - kept[1] < KEPT_FOR:
        return kept[2]
    try:
        found = read_as(Role.AGENT, lambda db: notices_of_agent(db, agent.id or 0))
    except REFUSALS:
        return None
    st.session_state[_KEPT] = (agent.id, now, found)
    return found


def draw_own_notices(agent: Agent) -> None:
    """Draw the box in which the agent chooses; once it is saved, its fragment runs again."""
    chosen = own_notices(agent)
    if chosen is None:
        return
    icon = "notifications_active" if chosen.kinds else "notifications_off"
    with st.popover("Notices", icon=f":material/{icon}:", width="stretch", key="own_notices"):
        small_text(HELP)
        if _draw_form(agent, chosen):
            st.session_state.pop(_KEPT, None)
            st.rerun()


def _draw_form(agent: Agent, chosen: AgentNotices) -> bool:
    """Whether something was saved."""
    with st.form("own notices form", border=False):
        kinds = [
            kind
            for kind in NoticeKind
            if st.toggle(KIND_NAMES[kind], kind in chosen.kinds, key=f"notice {kind}")
        ]
        minutes = st.number_input(
            "In Checkout or Cart for so many minutes",
            FEWEST_MINUTES,
            MOST_MINUTES,
            chosen.minutes,
            key="notice minutes",
        )
        with st.container(horizontal=True):
            begins = st.time_input(
                "Quiet from", _time(chosen.quiet_from), key="quiet from", help=QUIET_HELP, width=120
            )
            ends = st.time_input("Until", _time(chosen.quiet_until), key="quiet until", width=120)
        is_sent = st.form_submit_button("Save notices", type="primary")
    if not is_sent:
        return False
    try:
        write_as_agent(
            agent,
            lambda db: choose_notices(
                db,
                agent.id or 0,
                kinds=kinds,
                minutes=int(minutes),
                quiet_from=_minutes(begins),
                quiet_until=_minutes(ends),
                time_zone=own_time_zone(),
            ),
        )
    except (NoticeError, *REFUSALS) as error:
        notice(str(error), title=refusal_title(error, "Not saved."), kind="bad")
        return False
    return True


def _time(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute
