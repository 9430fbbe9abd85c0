"""The dialog that is open. There is one at most, because Streamlit draws no two at once, and it belongs to
the page over which it was opened: who goes Back has left it."""

from __future__ import annotations

from typing import Any

import streamlit as st

_OPEN = "open dialog"
_PAGE = "page that runs"


def run_over(page: st.Page) -> None:
    """Say which page runs; a dialog over another page is closed. To be called in each full run."""
    if st.session_state.get(_PAGE) != page.url_path:
        st.session_state.pop(_OPEN, None)
    st.session_state[_PAGE] = page.url_path


def open_dialog(name: str, about: Any) -> None:
    """Open this dialog, from the next run on, in the place of any other."""
    st.session_state[_OPEN] = (name, about)


def open_dialog_about(name: str) -> Any:
    """What this dialog was opened about; None when it is not open."""
    open_name, about = st.session_state.get(_OPEN, ("", None))
    return about if open_name == name else None


def close_dialog(name: str) -> Any:
    """Close this dialog, if it is open; what it was about."""
    about = open_dialog_about(name)
    if about is not None:
        del st.session_state[_OPEN]
    return about
