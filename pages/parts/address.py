"""The page's address: what narrows a page stands there, so that a reload, Back and a shared link keep it.

Streamlit sends the address with each request. Back, a link and a reload always run the whole page; a
rerun of a fragment may have been asked for before the browser knew the address that the last change
has given it. So the address is read where the whole page runs, and fragments go by what was read or
given last.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.parts.script import component

_ADDRESS = "address"


def read_address() -> None:
    """Read the address. To be called at the begin of each run of the whole page.

    A change that was given just before Back reaches the browser after it, and would stay in its address:
    so after Back the browser is told once more where it is, which changes nothing else.
    """
    read = st.query_params.to_dict()
    if read != address() and _is_after_back():
        st.query_params.from_dict(read)
    st.session_state[_ADDRESS] = read


def address() -> dict[str, str]:
    """The parameters of the page's address."""
    return dict(st.session_state.get(_ADDRESS, {}))


def change_address(parameters: dict[str, str]) -> None:
    """Give the page these parameters and no others; a step that Back undoes, if it changes anything."""
    if parameters != address():
        st.session_state[_ADDRESS] = dict(parameters)
        st.query_params.from_dict(parameters)


def leave_for(page: str, parameters: dict[str, str]) -> None:
    """Go to the page at this path in one step, which Back undoes.

    Streamlit's own `switch_page` makes two: one with this page's path and the other's parameters.
    """
    _leave(key="leave", data={"address": f"{page}?{urlencode(parameters)}"})


def _is_after_back() -> bool:
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


_leave = component("visitor_monitor_leave", Path(__file__).with_name("leave.js"))
