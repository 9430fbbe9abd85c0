"""The button by which somebody signs this browser out."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.script import component
from pages.server.base_path import below_base


def draw_sign_out(key: str) -> None:
    """Draw the button; once it was pressed the browser leaves for the sign-in page."""
    with st.container(width="content", gap=None):
        is_pressed = st.button("Sign out", icon=":material/logout:", key=f"sign out {key}")
        _leave(data={"address": below_base("/sign-out") if is_pressed else ""}, key=f"leave {key}")


_leave = component("visitor_monitor_sign_out", Path(__file__).with_name("sign_out.js"))
