"""The script tag of a site, to be pasted into its pages or into a tag manager."""

from __future__ import annotations

import streamlit as st

from core.settings import settings
from core.tables import Site
from pages.parts.texts import small_text


def draw_snippet(site: Site) -> None:
    """Draw the tag with this installation's address and the site's key, and a copy button."""
    small_text(f"Paste this line into the <head> of every page of {site.name}:")
    st.code(snippet(site), language=None, wrap_lines=True)


def draw_tag_manager_snippet(site: Site) -> None:
    """Draw the form for tag managers, which drop attributes, and a copy button."""
    small_text("Or, where a tag manager or a plugin inserts it, with the key in the address:")
    st.code(tag_manager_snippet(site), language=None, wrap_lines=True)


def snippet(site: Site) -> str:
    """The tag. It needs no escaping: a key has only letters, digits, - and _."""
    return f'<script async src="{_script_address()}" data-site="{site.key}"></script>'


def tag_manager_snippet(site: Site) -> str:
    """The tag without an attribute of ours."""
    return f'<script async src="{_script_address()}?site={site.key}"></script>'


def _script_address() -> str:
    return f"{settings().public_address}/embed/visitor-monitor.js"
