"""The visitors of a site who begin no chat, and the end of that."""

from __future__ import annotations

import streamlit as st

from core.accounts.identity import Role
from core.chat.blocks import lift_block, list_blocks
from core.chat.conversation_facts import agent_names
from core.database import Connection
from core.tables import ChatBlock, Site
from pages.parts.notices import draw_unanswered
from pages.parts.texts import day_and_time_of, small_text, subheading
from pages.parts.viewer import REFUSALS, read_as
from pages.sites.saving import apply, draw_saved

WHAT_IT_MEANS = (
    "They see no chat button, and no rule invites them. An agent still can. A block goes with its visit, "
    "when that is deleted."
)


def draw_blocked_visitors(site: Site) -> None:
    """Draw who is blocked and by whom, the newest first; nothing where nobody is."""
    place = f"blocked of {site.key}"
    try:
        blocks = read_as(Role.AGENT, lambda db: _load(db, site), site)
    except REFUSALS as error:
        draw_unanswered(error)
        return
    draw_saved(place)
    if not blocks:
        return
    with st.container(border=True):
        subheading("Blocked visitors")
        small_text(WHAT_IT_MEANS)
        for block, agent_name in blocks:
            _draw_block(site, block, agent_name, place)


def _load(db: Connection, site: Site) -> list[tuple[ChatBlock, str]]:
    names = agent_names(db)
    return [(each, names.get(each.agent_id, "")) for each in list_blocks(db, site.id or 0)]


def _draw_block(site: Site, block: ChatBlock, agent_name: str, place: str) -> None:
    text, buttons = st.columns([3, 1], vertical_alignment="center")
    with text:
        st.text(block.visitor)
        by = f" by {agent_name}" if agent_name else ""
        small_text(f"Blocked {day_and_time_of(block.blocked_at, site.time_zone)}{by}")
    with buttons.container(horizontal=True, horizontal_alignment="right"):
        is_lifted = st.button("Lift", key=f"lift {block.id} of {site.key}")
    if is_lifted:
        apply(
            Role.AGENT,
            lambda db: lift_block(db, block.site_id, block.id),
            site,
            "The visitor can chat again.",
            place=place,
        )
