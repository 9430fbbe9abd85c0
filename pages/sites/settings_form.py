"""A site's settings: its name, its addresses and its time zone."""

from __future__ import annotations

import streamlit as st

from core.sites import LONGEST_NAME
from core.tables import Site
from pages.parts.time_zone import time_zones
from pages.sites.saving import draw_stored_toggle, lines_of, save

DOMAINS_HELP = (
    "One a line: a host such as shop.example covers its subdomains too, an address such as "
    "https://shop.example only itself. Empty: pages of any address are recorded."
)
NULL_ORIGIN_HELP = (
    "Sandboxed frames, files and some in-app browsers do not say whose page they show. Where "
    "addresses are set they are refused, unless this is on."
)
QUERY_KEYS_HELP = (
    "Names such as color or page, where /shop?color=blue is another page than /shop. All other keys are "
    "dropped before anything is stored. After a change, put the new tag into your pages. Empty: what your tag "
    "names counts, without what may be a secret (token, code, email)."
)
TRACKING_HELP = "Off: nobody is recorded, and the script on the website falls silent."


def draw_tracking(site: Site) -> None:
    """Draw the switch; it is saved at once."""
    is_on = draw_stored_toggle(
        "Visitor tracking", site.tracking_enabled, f"tracking of {site.key}", TRACKING_HELP
    )
    if is_on is not None:
        save(site, tracking_enabled=is_on)


def draw_settings(site: Site) -> None:
    """Draw the form; nothing is changed before it is sent."""
    with st.form(f"settings of {site.key}", border=False):
        left, right = st.columns(2)
        name = left.text_input("Name", value=site.name, max_chars=LONGEST_NAME)
        time_zone = right.selectbox(
            "Time zone", time_zones(), index=time_zones().index(site.time_zone)
        )
        domains = st.text_area(
            "Website addresses", value="\n".join(site.domains), help=DOMAINS_HELP
        )
        query_keys = st.text_input(
            "Query keys that are part of the page",
            value=", ".join(site.query_keys),
            placeholder="color, page",
            help=QUERY_KEYS_HELP,
        )
        null_origin = st.toggle(
            "Record pages that do not say their address",
            value=site.accepts_null_origin,
            help=NULL_ORIGIN_HELP,
        )
        if st.form_submit_button("Save settings", type="primary"):
            save(
                site,
                name=name,
                time_zone=time_zone,
                domains=lines_of(domains),
                accepts_null_origin=null_origin,
                query_keys=lines_of(query_keys),
            )
