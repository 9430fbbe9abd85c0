"""The main script: the page's settings and the navigation."""

from pathlib import Path

import streamlit as st

from pages.menu import pages

st.set_page_config(
    page_title="Visitor Monitor",
    page_icon=Path(__file__).with_name("static") / "icon.svg",
    layout="wide",
    initial_sidebar_state=230,
)
st.html(Path(__file__).with_name("look.css"))
st.navigation(pages()).run()
