"""The open chats: the list, the chosen conversation, and next to it what the visitor does."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.accounts.identity import Role
from core.chat.states import TemplateKind
from core.chat.templates import all_templates
from core.database import Connection
from core.tables import Agent, Site
from pages.chats.visitor_panel import draw_visitor_panel
from pages.parts.chat.component import Replies, chosen_in_chats, draw_chats
from pages.parts.last_read import read_or_last
from pages.parts.notices import draw_fault

REFRESH = 5
"""Seconds between two refreshes of the chosen visitor."""


def draw_open(agent: Agent, sites: Sequence[Site]) -> None:
    """Draw the chats, which update themselves, and the visitor, who is drawn again every REFRESH."""
    chosen = _chosen()
    site = next((site for site in sites if site.key == chosen.partition(" ")[0]), None)
    with st.container(key="open_chats"):
        with st.container(key="show_visitor"):
            if site is not None:
                st.toggle("Show the visitor", on_change="ignore")
        chats, panel = st.columns([2.3, 1], gap="medium")
    with chats:
        draw_chats(
            agent,
            _replies(sites),
            chosen=chosen,
            is_one_site=len(sites) < 2,
            on_chosen_change=_choose,
        )
    if site is not None:
        with panel:
            st.fragment(draw_visitor_panel, run_every=REFRESH)(site, chosen.partition(" ")[2])


def _chosen() -> str:
    """The conversation that the address names: "SITE ID", or ""."""
    site, conversation = (st.query_params.get(name, "") for name in ("site", "conversation"))
    return f"{site} {conversation}" if site and conversation else ""


def _choose() -> None:
    site, _, conversation = chosen_in_chats().partition(" ")
    if site and conversation:
        st.query_params.update({"site": site, "conversation": conversation})


def _replies(sites: Sequence[Site]) -> Replies:
    """Each site's replies; while the database does not answer, those that were read last."""

    def load(db: Connection) -> Replies:
        found = all_templates(db, TemplateKind.REPLY)
        return {site.key: found.get(site.id or 0, []) for site in sites}

    replies, fault = read_or_last("replies", tuple(site.key for site in sites), Role.AGENT, load)
    if replies is None:
        draw_fault(fault)
    return replies or {}
