"""A site's settings: its name, its tracking, its domains and its time zone."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

import streamlit as st

from core.sites import LONGEST_NAME
from core.tables import Site
from pages.sites.saving import lines_of, save

DOMAINS_HELP = (
    "One a line: a host such as shop.example covers its subdomains too, an origin such as "
    "https://shop.example only itself. Empty: any domain may send."
)
NULL_ORIGIN_HELP = (
    "Sandboxed frames, files and some in-app browsers name no domain. With allowed domains they "
    "are refused unless this is on."
)


def draw_settings(site: Site) -> None:
    """Draw the form; nothing is changed before it is sent."""
    with st.form(f"settings of {site.key}", border=False):
        tracking = st.toggle(
            "Visitor tracking",
            value=site.tracking_enabled,
            help="Off: the collector refuses this site's beacons, and the script falls silent.",
        )
        left, right = st.columns(2)
        name = left.text_input("Name", value=site.name, max_chars=LONGEST_NAME)
        time_zone = right.selectbox(
            "Time zone", time_zones(), index=time_zones().index(site.time_zone)
        )
        domains = st.text_area("Allowed domains", value="\n".join(site.domains), help=DOMAINS_HELP)
        null_origin = st.toggle(
            "Accept pages without an origin",
            value=site.accepts_null_origin,
            help=NULL_ORIGIN_HELP,
        )
        if st.form_submit_button("Save settings", type="primary"):
            save(
                site,
                name=name,
                tracking_enabled=tracking,
                time_zone=time_zone,
                domains=lines_of(domains),
                accepts_null_origin=null_origin,
            )


@cache
def time_zones() -> list[str]:
    """Every time zone that a site can have."""
    return sorted(available_timezones())
