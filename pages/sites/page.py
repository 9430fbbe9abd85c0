"""Sites: add one, its script, its settings, and whether its beacons arrive."""

from __future__ import annotations

import streamlit as st

from core.moment import utc_now
from core.tables import Site
from pages.parts.notices import draw_fault, draw_unavailable
from pages.parts.site_choice import choose_site, chosen_site, requested_key
from pages.parts.snapshots import SitesSnapshot, latest_sites
from pages.parts.snippet import draw_snippet, draw_tag_manager_snippet
from pages.parts.texts import heading, notice, small_text, subheading
from pages.sites.add_form import draw_add_form
from pages.sites.arrivals import draw_arrivals
from pages.sites.chat_settings import draw_chat
from pages.sites.context_rules import draw_rules
from pages.sites.saving import draw_saved
from pages.sites.settings_form import draw_settings


def draw_page() -> None:
    """Draw the chosen site, then the form for a new one."""
    snapshot = latest_sites(utc_now(), requested_key())
    if snapshot.sites is None:
        draw_unavailable(snapshot.fault, "Sites")
        return
    site = chosen_site(snapshot.sites)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(gap=None):
            heading("Sites", above=site.name if site else "")
        if site:
            choose_site(snapshot.sites, site)
    draw_saved()
    if snapshot.fault:
        draw_fault(snapshot.fault)
    else:
        _say_tracking(snapshot)
    if site:
        _draw_site(site)
    with st.expander("Add a site", icon=":material/add:", expanded=site is None):
        draw_add_form()


def _say_tracking(snapshot: SitesSnapshot) -> None:
    if not snapshot.sites:
        notice("Add the first one below.", title="There is no site yet.")
    elif not snapshot.tracked:
        notice(
            "Visitor Monitor is hidden, and nobody is recorded. Switch Visitor tracking on in a "
            "site's settings below, and save.",
            title="Tracking is off for every site.",
        )


def _draw_site(site: Site) -> None:
    left, right = st.columns([3, 2])
    with left:
        with st.container(border=True):
            subheading("Script")
            small_text(f"Key: {site.key}")
            draw_snippet(site)
            draw_tag_manager_snippet(site)
        with st.container(border=True):
            subheading("Settings")
            draw_settings(site)
        with st.container(border=True):
            subheading("Own context rules")
            draw_rules(site)
    with right, st.container(border=True):
        draw_arrivals(site)
    draw_chat(site)


draw_page()
