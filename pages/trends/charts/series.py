"""Visits by hour, day or week, with the period before behind them."""

from __future__ import annotations

import altair as alt

from pages.parts.charts import MUTED

HEIGHT = 220


def chart() -> alt.LayerChart:
    """Bars, and a line for the period before; needs the columns label, now and before."""
    base = alt.Chart().encode(
        x=alt.X(
            "label:O",
            sort=None,
            title=None,
            axis=alt.Axis(labelAngle=0, labelExpr="replace(datum.label, regexp(' [0-9]{4}'), '')"),
        ),
        tooltip=[
            alt.Tooltip("label:N", title="When"),
            alt.Tooltip("now:Q", title="This period", format=","),
            alt.Tooltip("before:Q", title="Period before", format=","),
        ],
    )
    scale = alt.Axis(title=None, format="~s", tickMinStep=1)
    now = base.mark_bar().encode(y=alt.Y("now:Q", axis=scale))
    before = base.mark_line(color=MUTED, strokeDash=[4, 3], interpolate="monotone").encode(
        y=alt.Y("before:Q", axis=scale)
    )
    # Wide invisible columns, so that the tooltip shows anywhere over the step.
    touch = base.mark_bar(opacity=0, width=alt.RelativeBandSize(1)).encode(y=alt.value(0))
    return alt.LayerChart(layer=[now, before, touch]).properties(height=HEIGHT)
