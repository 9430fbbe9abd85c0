"""The main script: the page's settings, the navigation, and the agent's box on every page."""

from pathlib import Path

import streamlit as st

from pages.menu import pages
from pages.parts.agent_box import draw_agent_box

st.set_page_config(
    page_title="Visitor Monitor",
    page_icon=Path(__file__).with_name("static") / "icon.svg",
    layout="wide",
    initial_sidebar_state=230,
)
st.html(Path(__file__).with_name("look.css"))
page = st.navigation(pages())
draw_agent_box()
page.run()
