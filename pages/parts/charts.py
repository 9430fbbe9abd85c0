"""The one way to draw a chart: its specification is built once, its frame is sent each time.

With it go what it says in words, a table for who does not see it, and Show the data.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache, partial
from html import escape
from typing import Any

import altair as alt
import pandas as pd
import pyarrow as pa
import streamlit as st

from pages.parts.shown_data import draw_shown_data

Selection = Mapping[str, Any]
"""What was chosen in a chart, by the name of its parameter: see `on_select` of Streamlit's charts."""

MOST_TOLD = 60
"""The most rows of the table that goes with a chart: Show the data has all."""

MUTED = "#8a93a6"
"""For what stands behind the present numbers, as the period before: seen in both themes."""

_MISSING = "–"

THEME: dict[str, Any] = {
    "axis": {"titleFontWeight": 400, "labelOverlap": True},
    "axisX": {"grid": False, "tickCount": 8},
    "axisY": {"ticks": False, "domain": False, "tickCount": 4},
    "mark": {
        "aria": False
    },  # a table tells what is drawn; Vega names no mark of which there is none
    "bar": {"cornerRadiusEnd": 3},
    "legend": {"orient": "top", "title": None},
    "line": {"strokeWidth": 2},
    "text": {"color": "currentColor"},
}
"""How all charts look, beyond the colours and fonts of .streamlit/config.toml, which know light and dark. What
a chart says itself counts more."""


@dataclass(frozen=True)
class ReadyFrame:
    """A frame as a chart gets it, and its table in HTML: what can be made once for all viewers."""

    table: pa.Table
    told: str


def draw_chart(
    chart: Callable[[], alt.TopLevelMixin],
    frame: pd.DataFrame | ReadyFrame,
    alt_text: str,
    *,
    title: str,
    name: str,
    site_ids: Collection[int],
    labels: Mapping[str, str] | None = None,
    has_heading: bool = True,
    number: int = 0,
    on_select: Callable[[Selection], None] | None = None,
) -> None:
    """Draw the frame by the chart's specification, its title above it, Show the data below it.

    To build a chart takes 35-55 ms, to draw it 2, to draw what `ready_frame` has made of the frame 1.

    alt_text: what the chart shows, in a sentence. title: in a few words, which are drawn if has_heading. name:
    of the files that are downloaded; each chart of a page has another. site_ids: whose numbers these are.
    labels: the columns that are told in words, and how they are called; all of them by their own names
    without it. on_select: is called with what was chosen in the chart, before the page runs again. number: of a
    chart with another one nothing is chosen yet, so that the same can be chosen again.
    """
    ready = frame if isinstance(frame, ReadyFrame) else ready_frame(frame, labels)
    heading = f'<h3 class="chart-title">{escape(title)}</h3>' if has_heading else ""
    key = f"chart {name} {number}"

    def select() -> None:
        if on_select is not None:
            on_select(st.session_state[key]["selection"])

    with st.container(gap=None, key=f"chart-{name}"):
        st.html(f"{heading}{_told(title, ready.told)}")
        st.vega_lite_chart(
            ready.table,
            _specification(chart),
            alt=alt_text,
            **({"key": key, "on_select": select} if on_select else {}),
        )
        draw_shown_data(
            partial(_frame_of, ready.table), name, title=title, labels=labels, site_ids=site_ids
        )


def ready_frame(frame: pd.DataFrame, labels: Mapping[str, str] | None = None) -> ReadyFrame:
    """The frame as `draw_chart` takes it with the same labels."""
    return ReadyFrame(arrow_of(frame), _rows(frame, labels or {name: str(name) for name in frame}))


def _frame_of(table: pa.Table) -> pd.DataFrame:
    """The columns again; whole numbers stay so where some are missing."""
    return table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)


def arrow_of(frame: pd.DataFrame) -> pa.Table:
    """The columns as charts get them, without what only pandas would read: that is as large as a short frame."""
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()


def _told(title: str, rows: str) -> str:
    """The table, which is read out and not seen."""
    # A table is as high as its rows, whatever its style says: the box around it hides it.
    return f'<div class="told"><table><caption>{escape(title)}</caption>{rows}</table></div>'


def _rows(frame: pd.DataFrame, labels: Mapping[Any, str]) -> str:
    """The columns of the labels, in their order."""
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels.values())
    columns = (_texts(frame[name].iloc[:MOST_TOLD]) for name in labels)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for row in zip(*columns, strict=True)
    )
    left = len(frame) - MOST_TOLD
    more = f"<tr><td>{left:,} more rows: show the data</td></tr>" if left > 0 else ""
    return f"<thead><tr>{head}</tr></thead><tbody>{body}{more}</tbody>"


def _texts(column: pd.Series[Any]) -> list[str]:
    """As pandas writes them, which takes ten times as long for the few rows of a chart; moments and fractions are left to it."""
    if column.dtype.kind in "mMf":
        return column.astype("str").fillna(_MISSING).tolist()
    missing = column.isna().tolist()
    values = zip(column.tolist(), missing, strict=True)
    return [_MISSING if is_missing else str(value) for value, is_missing in values]


@cache
def _specification(chart: Callable[[], alt.TopLevelMixin]) -> dict[str, Any]:
    specification = _without_data(chart().to_dict())
    specification.pop("datasets", None)
    if "height" not in specification and {"mark", "layer"} & specification.keys():
        # Its rows may make its height.
        specification.setdefault("autosize", {"type": "fit-x", "contains": "padding"})
    specification["config"] = _merged(THEME, specification.get("config", {}))
    return specification


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **under,
        **{
            name: {**under.get(name, {}), **value} if isinstance(value, dict) else value
            for name, value in over.items()
        },
    }


def _without_data(part: Any) -> Any:
    """The part without its data: Altair gives a chart one empty row, which would show as a point."""
    if isinstance(part, dict):
        return {
            name: _without_data(value)
            for name, value in part.items()
            if not (name == "data" and value == {"name": "empty"})
        }
    return [_without_data(each) for each in part] if isinstance(part, list) else part
