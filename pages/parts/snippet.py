"""The script tag of a site with this installation's address, drawn with a copy button."""

from __future__ import annotations

import streamlit as st

from core.settings import settings
from core.site_tag import script_address, site_tag, tag_without_attributes
from core.tables import Site
from pages.parts.texts import small_text


def draw_snippet(site: Site) -> None:
    """Draw the tag."""
    small_text(f"Paste this line into the <head> of every page of {site.name}:")
    st.code(site_tag(site, settings().public_address), language=None, wrap_lines=True)


def draw_tag_manager_snippet(site: Site) -> None:
    """Draw the form for tag managers."""
    small_text("Or, where a tag manager or a plugin inserts it:")
    st.code(tag_without_attributes(site, settings().public_address), language=None, wrap_lines=True)


def own_script_address() -> str:
    """Where browsers load the script from."""
    return script_address(settings().public_address)
