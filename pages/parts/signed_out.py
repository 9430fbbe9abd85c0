"""What is left of the page once its viewer is signed out: the way back in."""

from __future__ import annotations

import streamlit as st

from pages.parts.texts import heading
from pages.parts.title import PRODUCT, draw_title
from pages.server.base_path import below_base


def draw_signed_out() -> None:
    """Draw the line and a link, which loads the sign-in page."""
    st.navigation([st.Page(lambda: None, title=PRODUCT)], position="hidden")
    draw_title()
    heading(PRODUCT)
    st.html(
        '<p class="notice info" role="status"><strong>You are signed out.</strong> '
        f'<a href="{below_base("/sign-in")}">Sign in</a> to go on.</p>'
    )
