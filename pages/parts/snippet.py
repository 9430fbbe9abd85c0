"""The script tag of a site, to be pasted into its pages."""

from __future__ import annotations

import streamlit as st

from core.settings import settings
from core.tables import Site
from pages.parts.texts import small_text


def draw_snippet(site: Site) -> None:
    """Draw the tag with this installation's address and the site's key, and a copy button."""
    small_text(f"Paste this line into the <head> of every page of {site.name}:")
    st.code(snippet(site), language=None, wrap_lines=True)


def snippet(site: Site) -> str:
    """The tag. It needs no escaping: a key has only letters, digits, - and _."""
    address = settings().public_address
    return (
        f'<script async src="{address}/embed/visitor-monitor.js" data-site="{site.key}"></script>'
    )
