"""The visits of a site's own people, which are not recorded."""

from __future__ import annotations

import streamlit as st

from core.enrich.address import parse_address
from core.own_visits import own_finder
from core.tables import Site
from pages.parts.own_address import own_network
from pages.parts.own_link import HELP, draw_own_link
from pages.parts.texts import small_text
from pages.parts.viewer import viewer_of_run
from pages.sites.saving import lines_of, save

NETWORKS_HELP = (
    "One a line: an address such as 203.0.113.7, or a network such as 203.0.113.0/24 or 2001:db8::/56. Whoever "
    "visits the website from there is not recorded, and is offered no chat."
)


def draw_own_visits(site: Site) -> None:
    """Draw the form for the networks, and the viewer's address; where nobody signs in, the links too."""
    with st.form(f"own visits of {site.key}", border=False):
        networks = st.text_area(
            "Addresses of your own people", value="\n".join(site.own_networks), help=NETWORKS_HELP
        )
        if st.form_submit_button("Save addresses"):
            save(site, own_networks=lines_of(networks))
    _draw_own_address(site)
    if viewer_of_run().is_signed_in:
        small_text("By browser: everybody finds a link for each site under Your account.")
    else:
        small_text(HELP)
        draw_own_link(site)


def _draw_own_address(site: Site) -> None:
    network = own_network()
    if not network:
        return
    address = parse_address(network.partition("/")[0])
    if own_finder(site.own_networks)(address):
        small_text(f"Your address right now is {network}: visits from there are not recorded.")
        return
    is_public = address is not None and address.is_global
    small_text(
        f"Your address right now is {network}."
        if is_public
        else f"Your address right now is {network}, of this machine or its own network: your website may see "
        "another one."
    )
    if st.button("Add my address", key=f"own address of {site.key}"):
        save(site, own_networks=[*site.own_networks, network])
