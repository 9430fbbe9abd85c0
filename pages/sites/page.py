"""Sites: add one, its tag, its settings, whether its page views arrive, and its end. Agents see their texts."""

from __future__ import annotations

import streamlit as st

from core.accounts.identity import Role
from core.moment import utc_now
from core.tables import Site
from pages.parts.notices import draw_fault, draw_unavailable
from pages.parts.site_choice import choose_site, chosen_site, draw_other_site, requested_key
from pages.parts.snapshots import SitesSnapshot, latest_sites
from pages.parts.snippet import draw_snippet, draw_tag_manager_snippet
from pages.parts.texts import heading, notice, small_text, subheading
from pages.parts.title import draw_title
from pages.parts.viewer import may, may_add_sites
from pages.sites.add_dialog import draw_add_button
from pages.sites.arrivals import draw_arrivals
from pages.sites.blocked_visitors import draw_blocked_visitors
from pages.sites.chat_settings import draw_chat, draw_templates_card
from pages.sites.context_rules import draw_rules
from pages.sites.dialog_look import draw_dialog_look
from pages.sites.mail_server import draw_mail_server
from pages.sites.notice_addresses import draw_addresses
from pages.sites.own_visits import draw_own_visits
from pages.sites.removal import draw_progress, draw_remove_button
from pages.sites.saving import draw_saved
from pages.sites.settings_form import draw_settings, draw_tracking


def draw_page() -> None:
    """Draw the chosen site, and how far deleted ones have gone."""
    snapshot = latest_sites(utc_now(), requested_key())
    if snapshot.sites is None:
        draw_unavailable(snapshot.fault, "Sites")
        return
    draw_title("Sites")
    site = chosen_site(snapshot.sites)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(gap=None):
            heading("Sites", above=site.name if site else "")
        if site:
            choose_site(snapshot.sites, site)
            if may(Role.ADMIN):
                draw_remove_button(site)
    if site:
        draw_other_site(site)
    draw_saved()
    if snapshot.fault:
        draw_fault(snapshot.fault)
    else:
        _say_tracking(snapshot)
    if may(Role.ADMIN):
        draw_progress()
    if site:
        _draw_site(site)
    elif not snapshot.fault:
        draw_add_button("add_first_site", is_main=True)


def _say_tracking(snapshot: SitesSnapshot) -> None:
    if not snapshot.sites:
        _say_none()
    elif not snapshot.tracked and may(Role.ADMIN):
        notice(
            "Visitor Monitor is hidden, and nobody is recorded. Switch Visitor tracking on below.",
            title="Tracking is off for every site.",
        )


def _say_none() -> None:
    if may_add_sites():
        notice(
            "Add the first one: its name is enough to begin with.", title="There is no site yet."
        )
    else:
        notice("An admin chooses which sites you see.", title="There is no site for you.")


def _draw_site(site: Site) -> None:
    if not may(Role.ADMIN):
        small_text("Your texts for chats on this site. Only admins change the site itself.")
        draw_templates_card(site)
        draw_blocked_visitors(site)
        return
    left, right = st.columns([3, 2])
    with left:
        with st.container(border=True):
            subheading("Tag")
            draw_snippet(site)
            draw_tag_manager_snippet(site)
        with st.container(border=True):
            subheading("Settings")
            draw_settings(site)
        with st.container(border=True):
            subheading("Own visits")
            draw_own_visits(site)
        with st.container(border=True):
            subheading("Own context rules")
            draw_rules(site)
    with right, st.container(border=True):
        draw_tracking(site)
        draw_arrivals(site)
    draw_chat(site)
    draw_dialog_look(site)
    with st.container(border=True):
        subheading("Notices")
        draw_addresses(site)
    with st.container(border=True):
        subheading("Answers by e-mail")
        draw_mail_server(site)
    draw_blocked_visitors(site)


draw_page()
