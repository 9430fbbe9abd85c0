"""A number by hour, day or week, with the period before behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from pages.parts.charts import MUTED

HEIGHT = 220


def chart() -> alt.LayerChart:
    """Bars, and a line for the period before; needs the columns label, now and before."""
    numbers = [
        alt.Tooltip("now:Q", title="This period", format=","),
        alt.Tooltip("before:Q", title="Period before", format=","),
    ]
    return bars_and_line(alt.Axis(title=None, format="~s", tickMinStep=1), numbers).properties(
        height=HEIGHT
    )


def bars_and_line(
    axis: Any, numbers: Sequence[alt.Tooltip], *, has_gaps: bool = False
) -> alt.LayerChart:
    """The layers, by the axis of the numbers and what the tooltip says of a step.

    has_gaps: steps may be missing between others, so that a line alone would not show what stands between two of them.
    """
    base = alt.Chart().encode(
        x=alt.X(
            "label:O",
            sort=None,
            title=None,
            axis=alt.Axis(labelAngle=0, labelExpr="replace(datum.label, regexp(' [0-9]{4}'), '')"),
        ),
        tooltip=[alt.Tooltip("label:N", title="When"), *numbers],
    )
    now = base.mark_bar().encode(y=alt.Y("now:Q", axis=axis))
    point = alt.OverlayMarkDef(color=MUTED, size=14) if has_gaps else False
    line = base.mark_line(color=MUTED, strokeDash=[4, 3], interpolate="monotone", point=point)
    before = line.encode(y=alt.Y("before:Q", axis=axis))
    # Wide invisible columns, so that the tooltip shows anywhere over the step. First, as the layer that has every step:
    # the order of the axis is that of the steps which its layers show.
    touch = base.mark_bar(opacity=0, width=alt.RelativeBandSize(1)).encode(y=alt.value(0))
    return alt.LayerChart(layer=[touch, now, before])
