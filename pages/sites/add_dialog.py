"""Adding a site, from the sidebar of every page: its name, then its tag, then its first page view."""

from __future__ import annotations

import streamlit as st

from core.moment import utc_now
from core.sites import LONGEST_KEY, LONGEST_NAME, SiteError, add_site, domain_of_address
from core.tables import Site
from pages.parts.first_view import watch_first_view
from pages.parts.notices import draw_fault, refusal_title
from pages.parts.open_dialog import close_dialog, open_dialog, open_dialog_about
from pages.parts.snapshots import clear_sites, latest_sites
from pages.parts.snippet import draw_snippet, draw_tag_manager_snippet
from pages.parts.texts import notice, subheading
from pages.parts.time_zone import own_time_zone, time_zones
from pages.parts.viewer import REFUSALS, may_add_sites, write_for_all_sites
from pages.sites.saving import lines_of
from pages.sites.settings_form import DOMAINS_HELP

_ADDING = "adding a site"
"""The dialog; it is about "" while it asks, and about the key of the new site afterwards."""

_ADDED = "site added"
"""In the session: the key of the new site, once the dialog is closed."""

_LIVE = "live/page.py"


def draw_add_button(key: str = "add_site", *, is_main: bool = False) -> None:
    """Draw the button that opens the dialog, for who may add sites."""
    if not may_add_sites():
        return
    st.button(
        "Add a site",
        key=key,
        icon=":material/add_business:",
        type="primary" if is_main else "secondary",
        width="content" if is_main else "stretch",
        on_click=_open,
    )


def draw_add_dialog() -> None:
    """Draw the dialog until it is closed, then the new site's page. To be called in each full run."""
    added = st.session_state.pop(_ADDED, "")
    if added:
        st.switch_page(_LIVE, query_params={"site": added})
    key = open_dialog_about(_ADDING)
    if key is not None:
        _draw(key)


def _open() -> None:
    open_dialog(_ADDING, "")


def _close() -> None:
    """The new site's page is what is drawn next, if there is a new site."""
    st.session_state[_ADDED] = close_dialog(_ADDING)


@st.dialog("Add a site", width="medium", on_dismiss=_close)
def _draw(key: str) -> None:
    if not key:
        _draw_form()
        return
    snapshot = latest_sites(utc_now(), key)
    site = snapshot.find(key)
    if site is not None:
        _draw_added(site)
    elif snapshot.fault:
        subheading("The site is added. Its tag is here as soon as the database answers.")
        draw_fault(snapshot.fault)
    else:
        notice("Somebody has deleted it meanwhile.", title="The site is gone.")


def _draw_form() -> None:
    with st.form("new site", border=False):
        name = st.text_input(
            "Name", max_chars=LONGEST_NAME, placeholder="Tea shop", key="new_site_name"
        )
        address = st.text_input(
            "Website address (optional)",
            placeholder="www.tea-shop.example",
            help="Only pages of this address, and of those below it, are recorded. Empty: of any.",
            key="new_site_address",
        )
        with st.expander("More"):
            more = st.text_area(
                "Further addresses", help=DOMAINS_HELP, height=68, key="new_site_domains"
            )
            zones = time_zones()
            time_zone = st.selectbox(
                "Time zone",
                zones,
                index=zones.index(own_time_zone()),
                help="Where the site's day begins.",
                key="new_site_zone",
            )
            key = st.text_input(
                "Short name in the tag",
                max_chars=LONGEST_KEY,
                placeholder="made from the name",
                help="Letters, digits, - and _. It cannot be changed later.",
                key="new_site_key",
            )
        is_sent = st.form_submit_button("Add site", type="primary")
    if is_sent:
        _add(name, key, address, more, time_zone)


def _add(name: str, key: str, address: str, more: str, time_zone: str) -> None:
    try:
        domains = [domain_of_address(address)] if address.strip() else []
        site = write_for_all_sites(
            lambda db: add_site(
                db,
                name=name,
                key=key.strip(),
                domains=[*domains, *lines_of(more)],
                time_zone=time_zone,
                now=utc_now(),
            )
        )
    except (SiteError, *REFUSALS) as error:
        notice(str(error), title=refusal_title(error, "Not added."), kind="bad")
        return
    clear_sites()
    open_dialog(_ADDING, site.key)
    st.rerun()


def _draw_added(site: Site) -> None:
    subheading(f"{site.name} is added. Now its tag:")
    draw_snippet(site)
    draw_tag_manager_snippet(site)
    watch_first_view(site)
    if st.button("Done", type="primary", key="site_added_done"):
        _close()
        st.rerun()
