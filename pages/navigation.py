"""The main script: who looks, the page's settings, the navigation, and the agent's box on every page."""

from pathlib import Path

import streamlit as st

from core.deadline import DatabaseUnavailable
from pages.menu import draw_menu, pages, run_page
from pages.parts.address import read_address
from pages.parts.agent_box import draw_agent_box
from pages.parts.collector_notice import draw_collector_notice
from pages.parts.open_dialog import run_over
from pages.parts.signed_out import draw_signed_out
from pages.parts.viewer import NotAllowed, draw_for, viewer
from pages.sites.add_dialog import draw_add_button, draw_add_dialog

ICON = Path(__file__).with_name("static") / "icon.svg"

st.set_page_config(
    page_icon=ICON,
    layout="wide",
    initial_sidebar_state=230,
)
st.logo(str(ICON))
st.html(Path(__file__).with_name("look.css"))
try:
    draw_for(viewer())
except NotAllowed:
    draw_signed_out()
    st.stop()
except DatabaseUnavailable:
    pass  # each page says so
read_address()
offered = pages()
page = st.navigation([each.page for each in offered], position="hidden")
run_over(page)
draw_menu(offered)
with st.sidebar:
    draw_add_button()
draw_agent_box()
draw_add_dialog()
draw_collector_notice()
run_page(page, offered)
