"""The page while a site has had no visitor yet: the two things to do next."""

from __future__ import annotations

import streamlit as st

from core.settings import settings
from core.tables import Site
from pages.parts.site_choice import DEMO_KEY
from pages.parts.snippet import draw_snippet
from pages.parts.texts import small_text, subheading


def draw_welcome(site: Site) -> None:
    """Draw two cards: the demo shop (for its own site), and the script tag of this site."""
    subheading("No visitors yet")
    small_text("As soon as somebody opens a page of the site, they appear here. Two ways to begin:")
    left, right = st.columns([2, 3])
    with left.container(border=True, height="stretch"):
        subheading("Open the demo shop")
        if site.key == DEMO_KEY:
            small_text(
                "Every page of it carries the script already. Walk around in it, and watch this page."
            )
        else:
            small_text(
                "Its visits belong to the site Demo shop: choose that site above to see them."
            )
        st.link_button(
            "Open the demo shop",
            f"{settings().public_address}/demo/",
            icon=":material/storefront:",
            type="primary",
        )
    with right.container(border=True, height="stretch"):
        subheading("Or put the script on your own website")
        draw_snippet(site)
