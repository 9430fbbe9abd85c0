"""A list of facts: names and values, both shown as literal text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

NOTHING = "–"


def draw_facts(title: str, facts: Sequence[tuple[str, str]]) -> None:
    """Draw a card with a title and the facts; an empty value is shown as a dash."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value or NOTHING)}</dd>" for name, value in facts
    )
    with st.container(border=True, height="stretch"):
        st.html(f'<h2 class="facts-title">{escape(title)}</h2><dl class="facts">{rows}</dl>')
