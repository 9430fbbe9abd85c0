"""The visitor who is opened beside the list; the address names them, so Back closes the panel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import streamlit as st

from core.tables import Site
from pages.invite.dialog import open_invitation
from pages.invite.invitation_state import InvitationState
from pages.invite.links import open_chat
from pages.live.row_id import visit_of
from pages.parts.address import address, change_address
from pages.parts.notices import draw_fault
from pages.parts.script import component
from pages.parts.texts import small_text, time_of
from pages.visitor.panel import draw_visitor
from pages.visitor.past_chats import draw_past_chats
from pages.visitor.visit_snapshot import VisitDetails, latest_visit

_FOLDER = Path(__file__).with_name("client")
_LOOK = Path(__file__).with_name("opened_visitor.css")
_PARAMETER = "visitor"
_TIMES = "times a visitor was opened"

GONE = "This visitor is not known any more: a visit is deleted after some time. Close the panel to go on."
NOT_THERE_THEN = "This visitor had not come yet at this moment, or the visit is deleted."
ELSEWHERE = "In a chat of another product."


def opened_row() -> str:
    """The id of the row whose visitor is open, "" when none is."""
    return address().get(_PARAMETER, "")


def open_visitor(row_id: str) -> None:
    """Open the visitor of this row."""
    st.session_state[_TIMES] = _times() + 1
    change_address(address() | {_PARAMETER: row_id})


def draw_opened_visitor(
    sites: Sequence[Site], *, is_ticking: bool, moment: datetime | None = None
) -> None:
    """Draw the panel, if a visitor of these sites is open; nothing otherwise.

    moment: the past one at which the visitor is shown; None: now.
    """
    row_id = opened_row()
    if not row_id:
        return
    with st.container(key="opened_visitor", gap="small"):
        st.html(_LOOK)
        _panel(
            key="opened visitor",
            data={
                "row": row_id,
                "parameter": _PARAMETER,
                "times": _times(),
                "label": "Visitor",
                "close": "Close",
            },
            on_closed_change=_close,
        )
        found = visit_of(row_id, sites)
        if found is None:
            small_text(GONE)
        else:
            _draw(*found, moment, is_ticking=is_ticking)


def _draw(site: Site, visit_id: str, moment: datetime | None, *, is_ticking: bool) -> None:
    snapshot = latest_visit(site, visit_id, moment)
    seen = snapshot.seen
    if snapshot.fault:
        since = time_of(seen.journey.as_of, site.time_zone) if seen else ""
        draw_fault(snapshot.fault, since=since)
    elif seen is None:
        small_text(GONE if moment is None else NOT_THERE_THEN)
    if seen is None:
        return
    draw_visitor(
        seen.journey,
        site,
        key="opened page views",
        is_ticking=is_ticking and not snapshot.fault,
        draw_chats=lambda: _draw_chats(seen, site, is_live=moment is None),
        moment=moment,
    )


def _draw_chats(seen: VisitDetails, site: Site, *, is_live: bool) -> None:
    if seen.invitation_state is None:
        return
    if is_live:
        _draw_action(seen.invitation_state, site)
    draw_past_chats(seen.past_chats, site)


def _draw_action(state: InvitationState, site: Site) -> None:
    """What can be done next: one button, or why there is none."""
    visit_id = state.visit.id
    if state.chat:
        if st.button("Open chat", type="primary", icon=":material/forum:", key="opened chat"):
            open_chat(site, state.chat.id)
    elif state.invitation:
        if st.button("Show the invitation", icon=":material/forum:", key="opened invitation"):
            open_invitation(site, visit_id)
    elif state.is_live and state.is_chatting:
        small_text(ELSEWHERE)
    elif state.is_live and st.button(
        "Invite", type="primary", icon=":material/forum:", key="opened invite"
    ):
        open_invitation(site, visit_id)


def _close() -> None:
    change_address({name: text for name, text in address().items() if name != _PARAMETER})


def _times() -> int:
    return st.session_state.get(_TIMES, 0)


_panel = component("visitor_monitor_panel", _FOLDER / "panel.js", _FOLDER / "panel.css")
