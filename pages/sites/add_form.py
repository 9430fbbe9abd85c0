"""The form for a new site."""

from __future__ import annotations

import streamlit as st

from core.deadline import DatabaseUnavailable, read, write
from core.moment import utc_now
from core.sites import LONGEST_KEY, LONGEST_NAME, SiteError, add_site, propose_key
from pages.parts.notices import refusal_title
from pages.parts.snapshots import clear_sites
from pages.parts.texts import notice
from pages.sites.saving import keep_saved, lines_of
from pages.sites.settings_form import DOMAINS_HELP, time_zones


def draw_add_form() -> None:
    """Draw the form: name, key, domains and time zone. A site is chosen once it is added."""
    left, right = st.columns(2)
    name = left.text_input("Name", max_chars=LONGEST_NAME, placeholder="Tea shop", key="new_name")
    key = right.text_input(
        "Key",
        max_chars=LONGEST_KEY,
        placeholder=_proposal(name) or "made from the name",
        help="Stands in the script tag and cannot be changed later. Empty: the one proposed.",
        key="new_key",
    )
    domains = st.text_area(
        "Allowed domains", placeholder="shop.example", help=DOMAINS_HELP, key="new_domains"
    )
    zones = time_zones()
    time_zone = st.selectbox(
        "Time zone",
        zones,
        index=zones.index(_own_time_zone(zones)),
        help="Where the site's day begins.",
        key="new_time_zone",
    )
    if not st.button("Add site", type="primary"):
        return
    try:
        site = write(
            lambda db: add_site(
                db,
                name=name,
                key=key.strip(),
                domains=lines_of(domains),
                time_zone=time_zone,
                now=utc_now(),
            )
        )
    except (SiteError, DatabaseUnavailable) as error:
        notice(str(error), title=refusal_title(error, "Not added."), kind="bad")
        return
    clear_sites()
    keep_saved("The site is added. Its script stands below.")
    for field in ("new_name", "new_key", "new_domains"):
        del st.session_state[field]
    st.session_state["site"] = site.key
    st.query_params["site"] = site.key
    st.rerun()


def _proposal(name: str) -> str:
    if not name.strip():
        return ""
    try:
        return read(lambda db: propose_key(db, name))
    except DatabaseUnavailable:
        return ""


def _own_time_zone(zones: list[str]) -> str:
    """The agent's own time zone, as the browser sends it."""
    return st.context.timezone if st.context.timezone in zones else "UTC"
