"""A small table of numbers, which everybody can read: texts are shown as they are, never as mark-up."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st


def draw_number_table(caption: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw the rows under the columns' names; the first cell of each row names it."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        f"{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for first, *cells in rows
    )
    # Where it is wider than a phone it scrolls, by keyboard too.
    st.html(
        f'<div class="numbers" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
