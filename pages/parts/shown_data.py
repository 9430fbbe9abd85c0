"""Show the data: the frame behind what is drawn, and its downloads, at a click."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import pandas as pd
import streamlit as st

from pages.parts.downloads import draw_downloads, taken
from pages.parts.texts import plural, small_text

ROWS = 1_000
"""The most rows shown; the downloads have all."""

_ROW = 35
_TALLEST = 420


def draw_shown_data(
    load: Callable[[], pd.DataFrame],
    name: str,
    *,
    title: str,
    site_ids: Collection[int],
    labels: Mapping[str, str] | None = None,
) -> None:
    """Draw a button that opens the data below it; the frame is loaded while that is open.

    title: of what the data is. name, site_ids: as `draw_downloads` takes them. labels: the columns that are
    shown, and how they are called; all by their own names without it. The downloads have every column.
    """
    shown = st.popover(
        "Show the data",
        icon=":material/table:",
        type="tertiary",
        on_change="rerun",
        key=f"shown-data-{name}",
    )
    if not shown.open:
        return
    frame = load()
    with shown:
        _draw_frame(taken(frame), title, labels)
        with st.container(horizontal=True):
            draw_downloads(frame, name, site_ids=site_ids)


def _draw_frame(frame: pd.DataFrame, title: str, labels: Mapping[str, str] | None) -> None:
    # What the viewer may not take away is not in the frame.
    names = [name for name in labels or frame.columns if name in frame]
    rows = frame[names].head(ROWS)
    st.dataframe(
        rows.rename(columns=dict(labels or {})),
        hide_index=True,
        height=min(38 + _ROW * max(len(rows), 1), _TALLEST),
        placeholder="",
        alt=title,
    )
    if len(frame) > ROWS:
        small_text(f"The first {ROWS:,} of {plural(len(frame), 'row')}; the downloads have all.")
