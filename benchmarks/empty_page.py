"""The yardstick of a refresh: a Streamlit page whose fragment draws nothing."""

import streamlit as st

from benchmarks.page_viewer import NOTICE_EVERY


@st.fragment(run_every=NOTICE_EVERY + 1)
def draw() -> None:
    """Nothing."""


draw()
