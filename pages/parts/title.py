"""The title of the browser's tab, on every page."""

from __future__ import annotations

import streamlit as st

PRODUCT = "Visitor Monitor"


def draw_title(text: str = "") -> None:
    """Name the tab "text · Visitor Monitor", or without a text by the product alone.

    A fragment may call it too. The number of those who wait in Chats is put before it in the
    browser: see chat/client/tab_title.js.
    """
    st.set_page_config(page_title=f"{text} · {PRODUCT}" if text else PRODUCT)
