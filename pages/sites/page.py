"""Sites: add one, its script, its settings, and whether its beacons arrive."""

from __future__ import annotations

import streamlit as st

from core.tables import Site
from pages.parts.notices import draw_absence, draw_fault
from pages.parts.site_choice import asked_key, choose_site, chosen_site
from pages.parts.snapshots import KnownSites, known_sites, utc_now
from pages.parts.snippet import draw_snippet
from pages.parts.texts import heading, notice, quiet, subheading
from pages.sites.add_form import draw_add_form
from pages.sites.arrivals import draw_arrivals
from pages.sites.chat_settings import draw_chat
from pages.sites.context_rules import draw_rules
from pages.sites.saving import draw_saved
from pages.sites.settings_form import draw_settings


def draw_page() -> None:
    """Draw the chosen site, then the form for a new one."""
    known = known_sites(utc_now(), asked_key())
    if known.sites is None:
        draw_absence(known.fault, "Sites")
        return
    site = chosen_site(known.sites)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(gap=None):
            heading("Sites", above=site.name if site else "")
        if site:
            choose_site(known.sites, site)
    if known.fault:
        draw_fault(known.fault)
    draw_saved()
    _say_tracking(known)
    if site:
        _draw_site(site)
    with st.expander("Add a site", icon=":material/add:", expanded=site is None):
        draw_add_form()


def _say_tracking(known: KnownSites) -> None:
    if not known.sites:
        notice("Add the first one below.", title="There is no site yet.")
    elif not known.tracked:
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
            quiet(f"Key: {site.key}")
            draw_snippet(site)
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
