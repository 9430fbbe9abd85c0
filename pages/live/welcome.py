"""The page while a site has had no visitor yet: the tag to put in, and the first page view to wait for."""

from __future__ import annotations

import streamlit as st

from core.accounts.identity import Role
from core.moment import utc_now
from core.settings import settings
from core.tables import Site
from pages.parts.first_view import watch_first_view
from pages.parts.site_choice import DEMO_KEY
from pages.parts.snapshots import latest_sites
from pages.parts.snippet import draw_snippet, draw_tag_manager_snippet
from pages.parts.texts import heading, notice, small_text, subheading
from pages.parts.title import draw_title
from pages.parts.viewer import may, viewer_of_run


def draw_welcome(site: Site) -> None:
    """Draw what the page waits for; for admins a card for the demo shop, if there is its site, and the tag."""
    subheading("No visitors yet")
    small_text("As soon as somebody opens a page of the site, they appear here by themselves.")
    if not may(Role.ADMIN):
        return
    watch_first_view(site)
    if settings().demo and latest_sites(utc_now()).find(DEMO_KEY):
        left, right = st.columns([2, 3])
        with left.container(border=True, height="stretch"):
            _draw_demo(site)
        tag = right.container(border=True, height="stretch")
    else:
        tag = st.container(border=True)
    with tag:
        subheading("Put the script on your own website" if site.key != DEMO_KEY else "The tag")
        draw_snippet(site)
        draw_tag_manager_snippet(site)


def draw_no_site() -> None:
    """Draw the page for who sees no site: there is none, or none is theirs."""
    draw_title()
    heading("Visitor Monitor")
    if viewer_of_run().site_ids is None:
        notice("An admin adds the first one.", title="There is no site yet.")
    else:
        notice(
            "Your account is limited to sites, and none of them is left. An admin chooses which "
            "ones you see.",
            title="There is no site for you.",
        )


def _draw_demo(site: Site) -> None:
    subheading("Open the demo shop")
    if site.key == DEMO_KEY:
        small_text("Every page of it has the tag already. Walk around in it, and watch this page.")
    else:
        small_text("Its visits belong to the site Demo shop: choose that site above to see them.")
    st.link_button(
        "Open the demo shop",
        f"{settings().public_address}/demo/",
        icon=":material/storefront:",
        type="primary",
    )
