"""Where the dashboard's own routes are: below `server.baseUrlPath`, as its pages."""

from __future__ import annotations

import streamlit as st


def below_base(path: str) -> str:
    """The path of a route, "/changes", as a browser asks for it: "/monitor/changes"."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{path}" if base else path
