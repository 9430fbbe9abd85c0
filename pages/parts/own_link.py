"""The links by which somebody has their own visits to a website not recorded, and recorded again."""

from __future__ import annotations

import streamlit as st

from core.accounts.identity import Role
from core.own_visits import COUNT, LINK_KEY, OWN, own_link, website_address
from core.tables import Site
from core.visits.arrivals import origins
from pages.parts.texts import notice, small_text
from pages.parts.viewer import REFUSALS, read_as

HELP = (
    "In each browser that you use, open the first link once: from then on your visits are not recorded in that "
    "browser, and it offers you no chat. The second link undoes it. It does not work where nothing may "
    "be kept: in a browser with Global Privacy Control, or on a website whose visitors' browsers store nothing."
)


def draw_own_link(site: Site) -> None:
    """Draw both links of the site, each with a copy button."""
    assert site.id is not None
    site_id = site.id
    try:
        found = read_as(Role.VIEWER, lambda db: origins(db, site_id), site)
    except REFUSALS as error:
        notice(str(error), kind="bad")
        return
    address = website_address(site.domains, [each.host for each in found])
    if not address:
        small_text(
            f"Open a page of the website with ?{LINK_KEY}={OWN} at the end of its address; "
            f"?{LINK_KEY}={COUNT} undoes it."
        )
        return
    st.code(own_link(address), language=None, wrap_lines=True)
    st.code(own_link(address, COUNT), language=None, wrap_lines=True)
