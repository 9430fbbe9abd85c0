"""The pages of the sidebar."""

from __future__ import annotations

import streamlit as st

from core.moment import utc_now
from pages.parts.snapshots import latest_sites


def pages() -> list[st.Page]:
    """The pages of the sidebar, the default one first.

    When there are sites but none is tracked, there is no Visitor Monitor, and `/` opens Sites.
    """
    snapshot = latest_sites(utc_now())
    is_idle = snapshot.sites is not None and not snapshot.tracked
    sites = st.Page(
        "sites/page.py",
        title="Sites",
        icon=":material/storefront:",
        url_path="sites",
        default=is_idle,
    )
    chats = st.Page("chats/page.py", title="Chats", icon=":material/forum:", url_path="chats")
    visitor = st.Page(
        "visitor/page.py",
        title="Visitor",
        icon=":material/person:",
        url_path="visitor",
        visibility="hidden",
    )
    if is_idle:
        return [sites, chats, visitor]
    live = st.Page(
        "live/page.py", title="Visitor Monitor", icon=":material/visibility:", default=True
    )
    return [live, chats, sites, visitor]
