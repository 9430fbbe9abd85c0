"""How a page says that the database gave no answer."""

from __future__ import annotations

import streamlit as st

from pages.looking import known_sites, utc_now
from pages.words import heading

RETRY = 3
"""Seconds between two looks whether the database is back."""


def draw_fault(text: str, *, since: str = "") -> None:
    """A banner with the cure; `since`: the time of the picture that is still shown."""
    kept = f"This is the picture of {since}. " if since else ""
    _banner(f"{kept}{text}", icon=":material/cloud_off:")


def draw_absence(text: str) -> None:
    """The whole page when nothing was ever read; it comes alive by itself."""
    heading("Visitor Monitor")
    _banner(text, icon=":material/cloud_off:")
    st.fragment(_retry, run_every=RETRY)()


def _retry() -> None:
    if known_sites(utc_now()).sites:
        st.rerun()


def _banner(text: str, *, icon: str) -> None:
    """A file's name or a server's address is not markdown, and no HTML either."""
    with st.container(key="fault"):
        st.error("The database does not answer: trying again by itself.", icon=icon)
        st.text(text)
