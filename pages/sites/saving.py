"""Changing a site from the page."""

from __future__ import annotations

import re
from typing import Unpack

import streamlit as st

from core.sites import SiteChanges, SiteError, change_site
from core.tables import Site
from pages.asking import NoAnswer, change
from pages.looking import forget_sites
from pages.words import notice

_SAVED = "site saved"


def save(site: Site, **changes: Unpack[SiteChanges]) -> None:
    """Change the site and draw the page anew, or say why it cannot be changed."""
    try:
        change(lambda db: change_site(db, site.key, **changes))
    except (SiteError, NoAnswer) as error:
        notice(str(error), title="Not saved.", kind="bad")
        return
    forget_sites()
    tell_saved("The site is changed; every collector follows within 5 seconds.")
    st.rerun()


def tell_saved(text: str) -> None:
    """Have the next drawing of the page say so."""
    st.session_state[_SAVED] = text


def draw_saved() -> None:
    """What was saved just before this drawing, if anything was."""
    if text := st.session_state.pop(_SAVED, ""):
        notice(text, title="Saved.", kind="good")


def lines_of(text: str) -> list[str]:
    """The words between commas, blanks and line ends."""
    return [part for part in re.split(r"[\s,]+", text) if part]
